using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Formats.Native;

/// <summary>Unfolds .xz files by the distribution's liblzma, which the platform does not offer.</summary>
/// <remarks>
/// Any number of streams with padding between them, each with its check, its index and its footer, as the .xz file format
/// (version 1.2.1) has it. The calls are those of lzma/base.h and lzma/container.h. One caller at a time.
/// </remarks>
internal sealed unsafe partial class XzDecompressor : IDisposable
{
    private const string Library = "liblzma.so.5";
    private const uint TellUnsupportedCheck = 0x02; // LZMA_TELL_UNSUPPORTED_CHECK
    private const uint Concatenated = 0x08; // LZMA_CONCATENATED

    private readonly StreamHandle _stream = new();

    /// <param name="memoryLimit">The most that a file may ask for, in bytes.</param>
    public XzDecompressor(ulong memoryLimit)
    {
        var result = lzma_stream_decoder(_stream, memoryLimit, TellUnsupportedCheck | Concatenated);
        if (result != Result.Ok)
            throw new InvalidOperationException($"liblzma could not begin: {result}.");
    }

    private enum Action
    {
        Run = 0,
        Finish = 3,
    }

    private enum Result
    {
        Ok = 0,
        StreamEnd = 1,
        UnsupportedCheck = 3,
        MemoryError = 5,
        MemoryLimit = 6,
        FormatError = 7,
        OptionsError = 8,
        DataError = 9,
        BufferError = 10,
    }

    /// <summary>Takes some of the source and gives some of what it means.</summary>
    /// <param name="isLast">Nothing follows the source. Once said, it has to stay true.</param>
    /// <returns>What became of it; nothing but <see cref="XzOutcome.Going"/> is ever followed by another call.</returns>
    public XzOutcome Decompress(ReadOnlySpan<byte> source, Span<byte> destination, bool isLast, out int consumed, out int written)
    {
        fixed (byte* first = source)
        fixed (byte* firstOut = destination)
        {
            var stream = _stream.Pointer;
            stream->NextIn = first;
            stream->AvailableIn = (nuint)source.Length;
            stream->NextOut = firstOut;
            stream->AvailableOut = (nuint)destination.Length;
            var result = lzma_code(_stream, isLast ? Action.Finish : Action.Run);
            consumed = source.Length - (int)stream->AvailableIn;
            written = destination.Length - (int)stream->AvailableOut;
            return result switch
            {
                Result.Ok or Result.BufferError => XzOutcome.Going, // the latter says that there was nothing to do
                Result.StreamEnd => XzOutcome.Ended,
                Result.MemoryLimit => XzOutcome.TooLarge,
                Result.UnsupportedCheck or Result.OptionsError => XzOutcome.Unsupported,
                Result.FormatError or Result.DataError => XzOutcome.Damaged,
                Result.MemoryError => throw new InvalidOperationException("liblzma has no memory."),
                _ => throw new InvalidOperationException($"liblzma was called in a wrong way: {result}."),
            };
        }
    }

    public void Dispose() => _stream.Dispose();

    [LibraryImport(Library)]
    private static partial Result lzma_stream_decoder(StreamHandle stream, ulong memoryLimit, uint flags);

    [LibraryImport(Library)]
    private static partial Result lzma_code(StreamHandle stream, Action action);

    [LibraryImport(Library)]
    private static partial void lzma_end(nint stream);

    // lzma_stream
    [StructLayout(LayoutKind.Sequential)]
    private struct LzmaStream
    {
        public byte* NextIn;
        public nuint AvailableIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailableOut;
        public ulong TotalOut;
        public nint Allocator;
        public nint Internal;
        public nint Reserved1;
        public nint Reserved2;
        public nint Reserved3;
        public nint Reserved4;
        public ulong SeekPosition;
        public ulong Reserved5;
        public nuint Reserved6;
        public nuint Reserved7;
        public int Reserved8;
        public int Reserved9;
    }

    private sealed class StreamHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public StreamHandle() : base(ownsHandle: true) => SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(LzmaStream)));

        public LzmaStream* Pointer => (LzmaStream*)handle;

        protected override bool ReleaseHandle()
        {
            lzma_end(handle);
            NativeMemory.Free((void*)handle);
            return true;
        }
    }
}

internal enum XzOutcome
{
    /// <summary>It needs more of the source, or more room for what it means.</summary>
    Going,
    Ended,
    Damaged,

    /// <summary>It asks for more memory than it may have.</summary>
    TooLarge,

    /// <summary>It uses a filter or a check that this version does not know.</summary>
    Unsupported,
}
