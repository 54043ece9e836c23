using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Formats.Native;

/// <summary>Unfolds bzip2 streams by the distribution's libbz2, which the platform does not offer.</summary>
/// <remarks>It needs less than 4 MiB, whatever a stream says. The calls are those of the manual of bzip2. One caller at a time.</remarks>
internal sealed unsafe partial class Bzip2Decompressor : IMemberDecompressor
{
    private const string Library = "libbz2.so.1.0";

    private readonly StreamHandle _stream = new();

    public Bzip2Decompressor() => Begin();

    private enum Result
    {
        Ok = 0,
        StreamEnd = 4,
        MemoryError = -3,
        DataError = -4,
        MagicError = -5,
    }

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
            var result = BZ2_bzDecompress(_stream);
            consumed = source.Length - (int)stream->AvailableIn;
            written = destination.Length - (int)stream->AvailableOut;
            return result switch
            {
                Result.Ok => false,
                Result.StreamEnd => true,
                Result.MemoryError => throw new InvalidOperationException("libbz2 has no memory."),
                _ => throw new InvalidDataException($"libbz2 cannot decompress this: {result}."),
            };
        }
    }

    public void Reset()
    {
        _stream.End();
        Begin();
    }

    public void Dispose() => _stream.Dispose();

    private void Begin()
    {
        var result = BZ2_bzDecompressInit(_stream, verbosity: 0, small: 0);
        if (result != Result.Ok)
            throw new InvalidOperationException($"libbz2 could not begin: {result}.");

        _stream.IsBegun = true;
    }

    [LibraryImport(Library)]
    private static partial Result BZ2_bzDecompressInit(StreamHandle stream, int verbosity, int small);

    [LibraryImport(Library)]
    private static partial Result BZ2_bzDecompress(StreamHandle stream);

    [LibraryImport(Library)]
    private static partial Result BZ2_bzDecompressEnd(nint stream);

    // bz_stream
    [StructLayout(LayoutKind.Sequential)]
    private struct BzStream
    {
        public byte* NextIn;
        public uint AvailableIn;
        public uint TotalInLow;
        public uint TotalInHigh;
        public byte* NextOut;
        public uint AvailableOut;
        public uint TotalOutLow;
        public uint TotalOutHigh;
        public nint State;
        public nint Allocate;
        public nint Free;
        public nint Opaque;
    }

    // The library keeps a pointer to the stream, so that it must stay where it is.
    private sealed class StreamHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public StreamHandle() : base(ownsHandle: true) => SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(BzStream)));

        public BzStream* Pointer => (BzStream*)handle;

        public bool IsBegun { get; set; }

        public void End()
        {
            if (IsBegun)
                BZ2_bzDecompressEnd(handle);
            IsBegun = false;
        }

        protected override bool ReleaseHandle()
        {
            End();
            NativeMemory.Free((void*)handle);
            return true;
        }
    }
}
