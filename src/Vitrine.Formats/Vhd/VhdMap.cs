using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vhd;

/// <summary>The block table of a VHD that grows, and the bitmap before each block.</summary>
/// <remarks>
/// The table has a 32-bit sector number for each block, big-endian, or all ones where the block is not there. What it points to:
/// <code>
///  +-----------------------------+-----------------------------------
///  | bitmap, in whole sectors    | the block …
///  +-----------------------------+-----------------------------------
/// </code>
/// A bit for each sector, the highest of a byte first; a sector whose bit is not set was never written, whatever lies at its place.
/// </remarks>
internal sealed class VhdMap(ContentReader content, VhdLayout layout) : IDiskMap
{
    public const uint NotThere = uint.MaxValue;
    public const int EntryLength = sizeof(uint);

    private const int SectorSize = VhdLayout.SectorSize;
    private const int BitsOfByte = 8;

    private readonly TableCache _tables = new(content, "VHD");

    public long Length => layout.Footer.DiskLength;

    public async ValueTask<Stretch> FindAsync(long offset, long most, CancellationToken cancellationToken)
    {
        var block = offset / layout.BlockLength;
        var entries = await _tables.ReadAsync(layout.TableOffset + block * EntryLength, EntryLength, cancellationToken);
        var entry = BinaryPrimitives.ReadUInt32BigEndian(entries.Span);
        if (entry == NotThere)
            return FindAbsentBlocks(entries.Span, block, offset, most);

        var within = offset % layout.BlockLength;
        var sector = within / SectorSize;
        var place = (long)entry * SectorSize;
        var bitmap = await _tables.ReadAsync(place + sector / BitsOfByte, 1, cancellationToken);
        var end = Math.Min(within + most, layout.BlockLength);
        var (isThere, count) = RunOf(bitmap.Span, (int)(sector % BitsOfByte), (end + SectorSize - 1) / SectorSize - sector);
        var length = Math.Min(end, (sector + count) * SectorSize) - within;
        return isThere
            ? new Stretch(ExtentKind.Data, offset, length, place + layout.BitmapLength + within)
            : new Stretch(ExtentKind.Absent, offset, length);
    }

    public ValueTask ReadAsync(Stretch stretch, Memory<byte> buffer, CancellationToken cancellationToken) =>
        content.ReadExactlyAsync("VHD", stretch.Place, buffer, cancellationToken);

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var sectors = content.Length / SectorSize;
        if (content.Length % SectorSize != 0)
            throw VhdFooter.BadGeometry("it does not end with a sector");

        var taken = new TakenUnits(sectors);
        do
        {
            Take(0, VhdFooter.Length);
            Take(layout.HeaderOffset, VhdHeaderReader.HeaderLength);
            Take(layout.TableOffset, layout.TableEntries * EntryLength);
            Take(content.Length - VhdFooter.Length, VhdFooter.Length);
            for (var block = 0L; block < layout.TableEntries;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var entries = await _tables.ReadAsync(layout.TableOffset + block * EntryLength, EntryLength, cancellationToken);
                var count = (int)Math.Min(entries.Length / EntryLength, layout.TableEntries - block);
                TakeBlocks(entries.Span[..(count * EntryLength)]);
                block += count;
            }
        }
        while (taken.MoveOn());

        void TakeBlocks(ReadOnlySpan<byte> entries)
        {
            for (var at = 0; at < entries.Length; at += EntryLength)
            {
                var entry = BinaryPrimitives.ReadUInt32BigEndian(entries[at..]);
                if (entry != NotThere)
                    Take((long)entry * SectorSize, layout.BitmapLength + layout.BlockLength);
            }
        }

        void Take(long start, long length)
        {
            if (start > content.Length - length)
                throw Refusal.Truncated("VHD");
            if (!taken.TryTake(start / SectorSize, (length + SectorSize - 1) / SectorSize))
                throw VhdFooter.BadGeometry("two of its parts lie at one place");
        }
    }

    private Stretch FindAbsentBlocks(ReadOnlySpan<byte> entries, long block, long offset, long most)
    {
        var end = (block + 1) * layout.BlockLength;
        for (var at = EntryLength; at + EntryLength <= entries.Length && end - offset < most; at += EntryLength)
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(entries[at..]) != NotThere)
                break;

            end += layout.BlockLength;
        }

        return new Stretch(ExtentKind.Absent, offset, Math.Min(end - offset, most));
    }

    /// <summary>How many bits are equal to the first one, and whether it is set.</summary>
    private static (bool IsSet, long Count) RunOf(ReadOnlySpan<byte> bitmap, int first, long most)
    {
        var isSet = (bitmap[0] << first & 0x80) != 0;

        // The first bit that differs becomes the first one that is set.
        var flip = isSet ? 0xff : 0;
        var head = (bitmap[0] ^ flip) << first & 0xff;
        if (head != 0)
            return (isSet, Math.Min(LeadingZeros(head), most));

        var count = (long)BitsOfByte - first;
        var whole = bitmap[1..].IndexOfAnyExcept((byte)flip);
        if (whole < 0)
            return (isSet, Math.Min(count + BitsOfByte * (bitmap.Length - 1L), most));

        return (isSet, Math.Min(count + BitsOfByte * (long)whole + LeadingZeros(bitmap[1 + whole] ^ flip), most));
    }

    private static int LeadingZeros(int value) => BitOperations.LeadingZeroCount((uint)value) - (32 - BitsOfByte);
}
