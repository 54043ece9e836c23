using System.Buffers.Binary;
using System.Text;

namespace Vitrine.Formats.Ova;

/// <summary>The block before each member of a tar archive, as POSIX ("ustar") and GNU write it.</summary>
/// <remarks>
/// <code>
///   0  name (100)     100  mode (8)     108  owner (8)     116  group (8)     124  size (12)     136  time (12)
/// 148  checksum (8)   156  type (1)     157  link (100)    257  ustar (6)     263  version (2)   …   345  prefix (155)
/// </code>
/// Numbers are octal text; a size whose first bit is set is a binary one, big-endian. The checksum is the sum of all bytes, with
/// its own as spaces. The member follows in whole blocks, and two blocks of zeros end the archive.
/// </remarks>
internal readonly record struct TarHeader(string Name, long Size, TarMemberType Type)
{
    public const int BlockLength = 512;

    private const int MagicOffset = 257;
    private const int ChecksumOffset = 148;
    private const int ChecksumLength = 8;

    /// <summary>How much room the member takes, in bytes.</summary>
    public long PaddedSize => (Size + BlockLength - 1) / BlockLength * BlockLength;

    /// <returns>Null where the block is no such header.</returns>
    public static TarHeader? TryRead(ReadOnlySpan<byte> block)
    {
        if (!block[MagicOffset..].StartsWith("ustar"u8) || ReadOctal(block.Slice(ChecksumOffset, ChecksumLength)) != SumOf(block))
            return null;
        if (ReadSize(block.Slice(124, 12)) is not { } size)
            return null;

        // Only the POSIX magic has a prefix; GNU keeps times there.
        var name = ReadText(block[..100]);
        var prefix = block[MagicOffset + 5] == 0 ? ReadText(block.Slice(345, 155)) : "";
        return new TarHeader(prefix.Length == 0 ? name : $"{prefix}/{name}", size, (TarMemberType)block[156]);
    }

    public static string ReadText(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private static long SumOf(ReadOnlySpan<byte> block)
    {
        var sum = (long)ChecksumLength * ' ';
        foreach (var b in block[..ChecksumOffset])
            sum += b;
        foreach (var b in block[(ChecksumOffset + ChecksumLength)..BlockLength])
            sum += b;

        return sum;
    }

    private static long? ReadSize(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) == 0)
            return ReadOctal(field);

        // The binary form has 95 bits; no content needs more than 60.
        var isShort = field[0] == 0x80 && !field[1..4].ContainsAnyExcept((byte)0);
        var size = BinaryPrimitives.ReadUInt64BigEndian(field[4..]);
        return isShort && size <= Refusal.MaxVirtualSize ? (long)size : null;
    }

    private static long? ReadOctal(ReadOnlySpan<byte> field)
    {
        var digits = field.Trim(" \0"u8);
        if (digits.IsEmpty)
            return null;

        var value = 0L;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
                return null;

            value = value << 3 | (long)(digit - '0');
        }

        return value;
    }
}

internal enum TarMemberType : byte
{
    OldFile = 0,
    File = (byte)'0',
    HardLink = (byte)'1',
    SymbolicLink = (byte)'2',
    Directory = (byte)'5',

    /// <summary>GNU: the next member's name, where it has no room in the header.</summary>
    LongName = (byte)'L',

    /// <summary>GNU: where the next member, a link, points.</summary>
    LongLink = (byte)'K',

    /// <summary>POSIX: attributes of the next member.</summary>
    Attributes = (byte)'x',

    /// <summary>POSIX: attributes of all members.</summary>
    GlobalAttributes = (byte)'g',
}
