using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Formats.Native;

/// <summary>Unfolds Zstandard (RFC 8878) by the distribution's libzstd, which the platform does not offer.</summary>
/// <remarks>The calls are those of the manual of zstd.h, its stable part. One caller at a time.</remarks>
internal sealed unsafe partial class ZstdDecompressor : IDisposable
{
    private const string Library = "libzstd.so.1";
    private const int WindowLogMax = 100; // ZSTD_d_windowLogMax
    private const int ResetSession = 1; // ZSTD_reset_session_only

    private readonly DecompressionContext _context;

    /// <param name="maxWindowLog">
    /// The most memory, as a power of two, that a frame may ask for while it is decompressed piece by piece. The format's own
    /// advice is 23 at least; the command line's largest, without its option for more, is 27.
    /// </param>
    public ZstdDecompressor(int maxWindowLog = 27)
    {
        _context = ZSTD_createDCtx();
        if (_context.IsInvalid)
            throw new InvalidOperationException("zstd could not make a context.");

        Check(ZSTD_DCtx_setParameter(_context, WindowLogMax, maxWindowLog));
    }

    /// <summary>Whether this machine has the library.</summary>
    public static bool IsSupported => NativeLibrary.TryLoad(Library, typeof(ZstdDecompressor).Assembly, searchPath: null, out _);

    /// <summary>Takes some of the source and gives some of what it means.</summary>
    /// <returns>
    /// Whether a frame has ended, and all of it has been written. The next call begins with the next frame. Where nothing was
    /// consumed and nothing written, the source is too short or the destination is full.
    /// </returns>
    /// <exception cref="InvalidDataException">The source is not Zstandard, is damaged, or needs too large a window.</exception>
    public bool Decompress(ReadOnlySpan<byte> source, Span<byte> destination, out int consumed, out int written)
    {
        fixed (byte* first = source)
        fixed (byte* firstOut = destination)
        {
            var input = new Cursor { Bytes = first, Size = (nuint)source.Length };
            var output = new Cursor { Bytes = firstOut, Size = (nuint)destination.Length };
            var rest = Check(ZSTD_decompressStream(_context, ref output, ref input));
            consumed = (int)input.Position;
            written = (int)output.Position;
            return rest == 0;
        }
    }

    /// <summary>Fills the destination from whole frames, of which there may be several. What follows them does not count.</summary>
    /// <remarks>Needs no window at all: what was written serves as one.</remarks>
    /// <exception cref="InvalidDataException">The frames are damaged, or end before the destination does, or after it.</exception>
    public void DecompressExactly(ReadOnlySpan<byte> frames, Span<byte> destination)
    {
        Check(ZSTD_DCtx_reset(_context, ResetSession));
        while (!destination.IsEmpty)
        {
            var length = (int)Check(ZSTD_findFrameCompressedSize(frames, (nuint)frames.Length));
            var written = (int)Check(ZSTD_decompressDCtx(_context, destination, (nuint)destination.Length, frames, (nuint)length));
            frames = frames[length..];
            destination = destination[written..];
        }
    }

    public void Dispose() => _context.Dispose();

    private static nuint Check(nuint result) => ZSTD_isError(result) == 0
        ? result
        : throw new InvalidDataException($"zstd cannot decompress this: {Marshal.PtrToStringUTF8(ZSTD_getErrorName(result))}.");

    [LibraryImport(Library)]
    private static partial DecompressionContext ZSTD_createDCtx();

    [LibraryImport(Library)]
    private static partial nuint ZSTD_freeDCtx(nint context);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_DCtx_setParameter(DecompressionContext context, int parameter, int value);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_DCtx_reset(DecompressionContext context, int directive);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_decompressStream(DecompressionContext context, ref Cursor output, ref Cursor input);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_decompressDCtx(
        DecompressionContext context, Span<byte> destination, nuint capacity, ReadOnlySpan<byte> source, nuint length);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_findFrameCompressedSize(ReadOnlySpan<byte> source, nuint length);

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint result);

    [LibraryImport(Library)]
    private static partial nint ZSTD_getErrorName(nuint result);

    // ZSTD_inBuffer and ZSTD_outBuffer, which are laid out alike.
    [StructLayout(LayoutKind.Sequential)]
    private struct Cursor
    {
        public byte* Bytes;
        public nuint Size;
        public nuint Position;
    }

    internal sealed class DecompressionContext() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        protected override bool ReleaseHandle()
        {
            ZSTD_freeDCtx(handle);
            return true;
        }
    }
}
