using System.Buffers.Binary;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vdi;

/// <summary>The block map of a VDI: for each block of the disk the number of the one that holds it, 32 bits, little-endian.</summary>
/// <remarks>Two numbers are none: all ones is a block that is not there, and one less a block of zeros.</remarks>
internal sealed class VdiMap(ContentReader content, VdiHeader header) : IDiskMap
{
    private const uint NotThere = uint.MaxValue;
    private const uint ZeroBlock = uint.MaxValue - 1;
    private const int EntryLength = sizeof(uint);

    private readonly TableCache _tables = new(content, "VDI");

    public long Length => header.DiskLength;

    public async ValueTask<Stretch> FindAsync(long offset, long most, CancellationToken cancellationToken)
    {
        var entries = await ReadEntriesAsync(offset / header.BlockLength, cancellationToken);
        var within = offset % header.BlockLength;
        var first = BinaryPrimitives.ReadUInt32LittleEndian(entries.Span);
        var (kind, next, length) = (KindOf(first), (long)first, header.BlockLength - within);
        for (var at = EntryLength; at + EntryLength <= entries.Length && length < most; at += EntryLength)
        {
            next++;
            var entry = BinaryPrimitives.ReadUInt32LittleEndian(entries.Span[at..]);
            if (KindOf(entry) != kind || (kind is ExtentKind.Data && entry != next))
                break;

            length += header.BlockLength;
        }

        return new Stretch(kind, offset, Math.Min(length, most), PlaceOf(first) + within);
    }

    public ValueTask ReadAsync(Stretch stretch, Memory<byte> buffer, CancellationToken cancellationToken) =>
        content.ReadExactlyAsync("VDI", stretch.Place, buffer, cancellationToken);

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var taken = new TakenUnits(header.Blocks);
        do
        {
            for (var block = 0L; block < header.Blocks;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var entries = await ReadEntriesAsync(block, cancellationToken);
                block += TakeBlocks(entries.Span, block, taken);
            }
        }
        while (taken.MoveOn());
    }

    private int TakeBlocks(ReadOnlySpan<byte> entries, long block, TakenUnits taken)
    {
        var count = (int)Math.Min(entries.Length / EntryLength, header.Blocks - block);
        for (var i = 0; i < count; i++)
        {
            var entry = BinaryPrimitives.ReadUInt32LittleEndian(entries[(i * EntryLength)..]);
            if (KindOf(entry) is not ExtentKind.Data)
                continue;

            // The file may end where the disk does, inside its last block.
            var needed = Math.Clamp(header.DiskLength - (block + i) * header.BlockLength, 0, header.BlockLength);
            if (PlaceOf(entry) > content.Length - needed)
                throw Refusal.Truncated("VDI");
            if (entry >= header.Blocks)
                throw VdiHeaderReader.BadGeometry("it has more blocks than its disk");
            if (!taken.TryTake(entry, 1))
                throw VdiHeaderReader.BadGeometry("two blocks of its disk lie at one place");
        }

        return count;
    }

    private ValueTask<ReadOnlyMemory<byte>> ReadEntriesAsync(long block, CancellationToken cancellationToken) =>
        _tables.ReadAsync(header.MapOffset + block * EntryLength, EntryLength, cancellationToken);

    private long PlaceOf(uint entry) => header.DataOffset + entry * header.BlockLength;

    private static ExtentKind KindOf(uint entry) => entry switch
    {
        NotThere => ExtentKind.Absent,
        ZeroBlock => ExtentKind.Zero,
        _ => ExtentKind.Data,
    };
}
