using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Wrappers;

/// <summary>Where the central directory of a zip archive is, and how many entries it has.</summary>
/// <remarks>
/// APPNOTE 6.3.10, sections 4.3.14 to 4.3.16; all numbers are little-endian:
/// <code>
///  end record:    signature 4 | disk 2 | directory's disk 2 | entries here 2 | entries 2 | length 4 | offset 4 | comment length 2 | comment
///  zip64 locator: signature 4 | end's disk 4 | offset of the zip64 end 8 | disks 4
///  zip64 end:     signature 4 | length of what follows 8 | made by 2 | needed 2 | disk 4 | directory's disk 4
///                 | entries here 8 | entries 8 | length 8 | offset 8
/// </code>
/// </remarks>
internal sealed record ZipDirectory(long Entries, long Offset, long Length)
{
    private const uint EndSignature = 0x0605_4b50;
    private const uint LocatorSignature = 0x0706_4b50;
    private const uint LargeEndSignature = 0x0606_4b50;
    private const int EndLength = 22;
    private const int LocatorLength = 20;
    private const int LargeEndLength = 56;
    private const int LargestEntryLength = ZipEntry.CentralHeaderLength + 3 * ushort.MaxValue;

    public static async Task<ZipDirectory> FindAsync(ContentReader zip, CancellationToken cancellationToken)
    {
        var tailLength = (int)Math.Min(zip.Length, EndLength + ushort.MaxValue + LocatorLength + LargeEndLength);
        var tail = await ZipMember.ReadAsync(zip, zip.Length - tailLength, tailLength, cancellationToken);
        var end = FindEnd(tail);
        var directory = IsLarge(tail.AsSpan(0, end)) ? ReadLarge(tail.AsSpan(0, end), zip.Length - tailLength) : Read(tail.AsSpan(end), zip.Length - tailLength + end);
        return directory.Length >= 0 && directory.Offset >= 0 ? directory : throw ZipMember.Contradiction();
    }

    public async Task<ZipEntry> ReadEntryAsync(ContentReader zip, CancellationToken cancellationToken) =>
        Length is >= ZipEntry.CentralHeaderLength and <= LargestEntryLength
            ? ZipEntry.ReadCentral(await ZipMember.ReadAsync(zip, Offset, (int)Length, cancellationToken))
            : throw ZipMember.Contradiction();

    /// <summary>The end record is the last one whose comment reaches to the end of the file.</summary>
    private static int FindEnd(ReadOnlySpan<byte> tail)
    {
        for (var at = tail.Length - EndLength; at >= 0; at--)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail[at..]) == EndSignature
                && BinaryPrimitives.ReadUInt16LittleEndian(tail[(at + EndLength - 2)..]) == tail.Length - at - EndLength)
                return at;
        }

        throw WrapperRefusal.Truncated(Wrapper.Zip);
    }

    private static bool IsLarge(ReadOnlySpan<byte> before) =>
        before.Length >= LocatorLength && BinaryPrimitives.ReadUInt32LittleEndian(before[^LocatorLength..]) == LocatorSignature;

    /// <param name="position">Where the end record is in the file, and the directory ends.</param>
    private static ZipDirectory Read(ReadOnlySpan<byte> end, long position)
    {
        var fields = new ZipFields(end, EndSignature);
        var isWhole = fields.UInt16() == 0 && fields.UInt16() == 0;
        var (here, entries, length, offset) = (fields.UInt16(), fields.UInt16(), fields.UInt32(), fields.UInt32());
        return isWhole && here == entries && offset + (long)length == position
            ? new ZipDirectory(entries, offset, length)
            : throw ZipMember.Contradiction();
    }

    /// <param name="before">What is known of the file before the end record: the last of it are the zip64 end and its locator.</param>
    /// <param name="position">Where that begins in the file.</param>
    private static ZipDirectory ReadLarge(ReadOnlySpan<byte> before, long position)
    {
        if (before.Length < LargeEndLength + LocatorLength)
            throw ZipMember.Contradiction();

        var largeEnd = position + before.Length - LocatorLength - LargeEndLength;
        var locator = new ZipFields(before[^LocatorLength..], LocatorSignature);
        var isHere = locator.UInt32() == 0 && locator.Length(isLarge: true) == largeEnd && locator.UInt32() <= 1;
        var fields = new ZipFields(before[^(LocatorLength + LargeEndLength)..], LargeEndSignature);
        var isUsual = fields.Length(isLarge: true) == LargeEndLength - 12;
        fields.Skip(4);
        var isWhole = fields.UInt32() == 0 && fields.UInt32() == 0;
        var (here, entries) = (fields.Length(isLarge: true), fields.Length(isLarge: true));
        var (length, offset) = (fields.Length(isLarge: true), fields.Length(isLarge: true));
        return isHere && isUsual && isWhole && here == entries && offset == largeEnd - length
            ? new ZipDirectory(entries, offset, length)
            : throw ZipMember.Contradiction();
    }
}
