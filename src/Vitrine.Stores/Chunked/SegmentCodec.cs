using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Stores.Chunked;

/// <summary>How a segment's bytes are stored.</summary>
internal enum SegmentCoding : byte
{
    /// <summary>As they are.</summary>
    Raw = 0,

    /// <summary>One Zstandard frame (RFC 8878).</summary>
    Zstd = 1,
}

/// <summary>Compresses and unfolds segments, by the distribution's libzstd, which the platform does not offer.</summary>
/// <remarks>The calls are those of the manual of zstd.h, its stable part. Each thread has contexts of its own.</remarks>
internal static unsafe partial class SegmentCodec
{
    private const string Library = "libzstd.so.1";
    private const int ProbeLength = 16 * 1024;

    [ThreadStatic]
    private static CompressionContext? t_compression;

    [ThreadStatic]
    private static DecompressionContext? t_decompression;

    /// <summary>Compresses, where that is worth it.</summary>
    /// <param name="stored">At least as long as what is compressed.</param>
    /// <returns>How, and how many bytes of <paramref name="stored"/> are filled; none for <see cref="SegmentCoding.Raw"/>.</returns>
    public static (SegmentCoding Coding, int Length) Compress(ReadOnlySpan<byte> plain, Span<byte> stored, int level)
    {
        // What does not shrink in its first part is hardly tried: it is compressed already, or encrypted.
        if (plain.Length >= 4 * ProbeLength && !Shrinks(plain[..ProbeLength], stored, level: 1))
            return (SegmentCoding.Raw, 0);

        var length = TryCompress(plain, stored[..plain.Length], level);
        return length is { } compressed && IsWorthIt(plain.Length, compressed) ? (SegmentCoding.Zstd, compressed) : (SegmentCoding.Raw, 0);
    }

    /// <exception cref="InvalidDataException">The bytes are damaged, or mean more or less than they should.</exception>
    public static void Unfold(SegmentCoding coding, ReadOnlySpan<byte> stored, Span<byte> plain)
    {
        switch (coding)
        {
            case SegmentCoding.Raw when stored.Length == plain.Length:
                stored.CopyTo(plain);
                return;
            case SegmentCoding.Zstd:
                t_decompression ??= ZSTD_createDCtx();
                fixed (byte* from = stored, to = plain)
                {
                    var length = ZSTD_decompressDCtx(t_decompression, to, (nuint)plain.Length, from, (nuint)stored.Length);
                    if (ZSTD_isError(length) == 0 && length == (nuint)plain.Length)
                        return;
                }

                break;
        }

        throw new InvalidDataException("A segment's bytes are damaged.");
    }

    private static bool Shrinks(ReadOnlySpan<byte> plain, Span<byte> stored, int level) =>
        TryCompress(plain, stored[..plain.Length], level) is { } length && IsWorthIt(plain.Length, length);

    // A few per cent do not pay for unfolding them at each read.
    private static bool IsWorthIt(int plain, int compressed) => compressed < plain - plain / 32;

    // Null where it does not fit.
    private static int? TryCompress(ReadOnlySpan<byte> plain, Span<byte> stored, int level)
    {
        t_compression ??= ZSTD_createCCtx();
        fixed (byte* from = plain, to = stored)
        {
            var length = ZSTD_compressCCtx(t_compression, to, (nuint)stored.Length, from, (nuint)plain.Length, level);
            return ZSTD_isError(length) == 0 ? (int)length : null;
        }
    }

    [LibraryImport(Library)]
    private static partial CompressionContext ZSTD_createCCtx();

    [LibraryImport(Library)]
    private static partial nuint ZSTD_freeCCtx(nint context);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_compressCCtx(CompressionContext context, byte* to, nuint capacity, byte* from, nuint length, int level);

    [LibraryImport(Library)]
    private static partial DecompressionContext ZSTD_createDCtx();

    [LibraryImport(Library)]
    private static partial nuint ZSTD_freeDCtx(nint context);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_decompressDCtx(DecompressionContext context, byte* to, nuint capacity, byte* from, nuint length);

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint result);

    internal sealed class CompressionContext() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        protected override bool ReleaseHandle()
        {
            ZSTD_freeCCtx(handle);
            return true;
        }
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
