using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Formats.Native;

/// <summary>Inflates deflate data (RFC 1951) and gzip members (RFC 1952) by the distribution's zlib.</summary>
/// <remarks>
/// The platform's streams do not say where the data ended, ignore what follows it, and take data that was cut off for whole.
/// The calls are those of the manual of zlib.h. One caller at a time.
/// </remarks>
internal sealed unsafe partial class ZlibInflater : IMemberDecompressor
{
    private const string Library = "libz.so.1";
    private const string Version = "1.2.11"; // zlib compares the first digit
    private const int NoFlush = 0; // Z_NO_FLUSH
    private const int LargestWindow = 15; // MAX_WBITS
    private const int OfGzip = 16; // to be added to the window, as a raw window is negative

    private readonly StreamHandle _stream = new();

    private ZlibInflater(int windowBits)
    {
        var result = inflateInit2_(_stream, windowBits, Version, sizeof(ZStream));
        if (result != Result.Ok)
            throw new InvalidOperationException($"zlib could not begin: {result}.");

        _stream.IsBegun = true;
    }

    private enum Result
    {
        Ok = 0,
        StreamEnd = 1,
        NeedDictionary = 2,
        DataError = -3,
        MemoryError = -4,
        BufferError = -5,
    }

    /// <summary>Checks the sum and the length that each member ends in.</summary>
    public static ZlibInflater ForGzip() => new(LargestWindow + OfGzip);

    /// <summary>Checks nothing but the data's own form.</summary>
    public static ZlibInflater ForDeflate() => new(-LargestWindow);

    /// <param name="crc">Of what came before; 0 at the beginning.</param>
    public static uint Crc32(uint crc, ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? crc : (uint)crc32(crc, bytes, (uint)bytes.Length);

    public bool Decompress(ReadOnlySpan<byte> source, Span<byte> destination, out int consumed, out int written)
    {
        fixed (byte* first = source)
        fixed (byte* firstOut = destination)
        {
            var stream = _stream.Pointer;
            stream->NextIn = first;
            stream->AvailableIn = (uint)source.Length;
            stream->NextOut = firstOut;
            stream->AvailableOut = (uint)destination.Length;
            var result = inflate(_stream, NoFlush);
            consumed = source.Length - (int)stream->AvailableIn;
            written = destination.Length - (int)stream->AvailableOut;
            return result switch
            {
                Result.Ok or Result.BufferError => false, // the latter says that there was nothing to do
                Result.StreamEnd => true,
                Result.MemoryError => throw new InvalidOperationException("zlib has no memory."),
                _ => throw new InvalidDataException($"zlib cannot inflate this: {result}."),
            };
        }
    }

    public void Reset()
    {
        if (inflateReset(_stream) != Result.Ok)
            throw new InvalidOperationException("zlib could not begin again.");
    }

    public void Dispose() => _stream.Dispose();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial Result inflateInit2_(StreamHandle stream, int windowBits, string version, int streamSize);

    [LibraryImport(Library)]
    private static partial Result inflate(StreamHandle stream, int flush);

    [LibraryImport(Library)]
    private static partial Result inflateReset(StreamHandle stream);

    [LibraryImport(Library)]
    private static partial Result inflateEnd(nint stream);

    [LibraryImport(Library)]
    private static partial nuint crc32(nuint crc, ReadOnlySpan<byte> bytes, uint length);

    // z_stream
    [StructLayout(LayoutKind.Sequential)]
    private struct ZStream
    {
        public byte* NextIn;
        public uint AvailableIn;
        public nuint TotalIn;
        public byte* NextOut;
        public uint AvailableOut;
        public nuint TotalOut;
        public nint Message;
        public nint State;
        public nint Allocate;
        public nint Free;
        public nint Opaque;
        public int DataType;
        public nuint Adler;
        public nuint Reserved;
    }

    // The library keeps a pointer to the stream, so that it must stay where it is.
    private sealed class StreamHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public StreamHandle() : base(ownsHandle: true) => SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(ZStream)));

        public ZStream* Pointer => (ZStream*)handle;

        public bool IsBegun { get; set; }

        protected override bool ReleaseHandle()
        {
            if (IsBegun)
                inflateEnd(handle);
            NativeMemory.Free((void*)handle);
            return true;
        }
    }
}
