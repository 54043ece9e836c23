using System.Buffers.Binary;
using Vitrine.Content;

namespace Vitrine.Formats.Wrappers;

/// <summary>By which bytes at its start each wrapper is recognised.</summary>
internal static class WrapperSignatures
{
    /// <summary>ID1, ID2 and CM of RFC 1952; no other method than deflate was ever assigned.</summary>
    public static ReadOnlySpan<byte> Gzip => [0x1f, 0x8b, 8];

    public static ReadOnlySpan<byte> Bzip2 => "BZh"u8;

    private static ReadOnlySpan<byte> Bzip2Block => [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    private static ReadOnlySpan<byte> Bzip2End => [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    private static ReadOnlySpan<byte> Xz => [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];
    private static ReadOnlySpan<byte> ZipMember => "PK\x03\x04"u8;
    private static ReadOnlySpan<byte> ZipWithoutMember => "PK\x05\x06"u8;

    /// <param name="start">The content's first bytes.</param>
    /// <returns>Null where they are of no wrapper.</returns>
    public static Wrapper? Find(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith(Gzip))
            return Wrapper.Gzip;
        if (IsBzip2(start))
            return Wrapper.Bzip2;
        if (start.StartsWith(Xz))
            return Wrapper.Xz;
        if (IsZstd(start))
            return Wrapper.Zstd;

        return start.StartsWith(ZipMember) || start.StartsWith(ZipWithoutMember) ? Wrapper.Zip : null;
    }

    // The level and the mark of the first block: three letters alone would be met by chance.
    private static bool IsBzip2(ReadOnlySpan<byte> start) =>
        start is [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', .. var block] && (block.StartsWith(Bzip2Block) || block.StartsWith(Bzip2End));

    /// <summary>A frame, or what the parallel compressor writes before it: a short frame that is to be skipped.</summary>
    private static bool IsZstd(ReadOnlySpan<byte> start)
    {
        if (ZstdFrame.IsSkippable(start) && start.Length >= ZstdFrame.SkippableHeaderLength)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(start[4..]);
            start = start[(int)Math.Min(ZstdFrame.SkippableHeaderLength + (long)length, start.Length)..];
        }

        return ZstdFrame.IsFrame(start);
    }
}
