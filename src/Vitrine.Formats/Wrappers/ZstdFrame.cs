using System.Buffers.Binary;

namespace Vitrine.Formats.Wrappers;

/// <summary>The header of a Zstandard frame.</summary>
/// <remarks>
/// RFC 8878, section 3.1.1; all numbers are little-endian:
/// <code>
///  0             4            5          5..6         ..+0,1,2,4      ..+0,1,2,4,8
///  +-------------+------------+----------+---------------+--------------------+
///  | Magic       | Descriptor | Window   | Dictionary_ID | Frame_Content_Size |
///  | 0xFD2FB528  |            | (maybe)  | (maybe)       | (maybe)            |
///  +-------------+------------+----------+---------------+--------------------+
/// </code>
/// A frame that is to be skipped is its magic (0x184D2A50 to 0x184D2A5F), the four bytes of its length, and as many bytes.
/// </remarks>
/// <param name="WindowSize">The memory that it needs to be unpacked, in bytes.</param>
/// <param name="HasDictionary">It cannot be unpacked without a file that is not here.</param>
internal readonly record struct ZstdFrame(ulong WindowSize, bool HasDictionary)
{
    public const int LargestHeaderLength = 18;
    public const int SkippableHeaderLength = 8;

    private const uint Magic = 0xfd2f_b528;
    private const uint SkippableMagic = 0x184d_2a50;
    private const uint SkippableMask = 0xffff_fff0;
    private const int MagicLength = 4;

    public static bool IsFrame(ReadOnlySpan<byte> start) => HasMagic(start, Magic, uint.MaxValue);

    public static bool IsSkippable(ReadOnlySpan<byte> start) => HasMagic(start, SkippableMagic, SkippableMask);

    /// <param name="header">Begins with the magic and has at least <see cref="LargestHeaderLength"/> bytes, or ends where the file does.</param>
    /// <returns>Null where the file ends in the header.</returns>
    public static ZstdFrame? Read(ReadOnlySpan<byte> header)
    {
        if (header.Length <= MagicLength)
            return null;

        var descriptor = header[MagicLength];
        var isSingleSegment = (descriptor & 0x20) != 0;
        var dictionaryLength = (descriptor & 3) is 3 ? 4 : descriptor & 3;
        var sizeLength = (descriptor >> 6) is 0 ? (isSingleSegment ? 1 : 0) : 1 << (descriptor >> 6);
        var rest = header[(MagicLength + 1)..];
        if (rest.Length < (isSingleSegment ? 0 : 1) + dictionaryLength + sizeLength)
            return null;

        var window = 0UL;
        if (!isSingleSegment)
        {
            window = WindowOf(rest[0]);
            rest = rest[1..];
        }

        var hasDictionary = rest[..dictionaryLength].ContainsAnyExcept((byte)0);
        return new ZstdFrame(isSingleSegment ? ContentSizeOf(rest.Slice(dictionaryLength, sizeLength)) : window, hasDictionary);
    }

    private static bool HasMagic(ReadOnlySpan<byte> start, uint magic, uint mask) =>
        start.Length >= MagicLength && (BinaryPrimitives.ReadUInt32LittleEndian(start) & mask) == magic;

    // Window_Descriptor: an exponent in its upper five bits, and eighths of that power of two in the lower three.
    private static ulong WindowOf(byte descriptor)
    {
        var power = 1UL << (10 + (descriptor >> 3));
        return power + power / 8 * (ulong)(descriptor & 7);
    }

    private static ulong ContentSizeOf(ReadOnlySpan<byte> field) => field.Length switch
    {
        1 => field[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(field) + 256UL,
        4 => BinaryPrimitives.ReadUInt32LittleEndian(field),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(field),
    };
}
