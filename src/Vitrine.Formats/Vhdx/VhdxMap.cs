using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vhdx;

/// <summary>The block table of a VHDX (2.5): an entry of 64 bits, little-endian, for each block, and one for a bitmap after each chunk.</summary>
/// <remarks>
/// <code>
///  63                                20  19           3  2     0
///  +-----------------------------------+---------------+-------+
///  | offset in MiB                     | reserved: 0   | state |
///  +-----------------------------------+---------------+-------+
///
///  | block | block | …  a chunk of them | bitmap | block | block | … | bitmap | …
/// </code>
/// </remarks>
internal sealed class VhdxMap(ContentReader content, VhdxLayout layout) : IDiskMap
{
    private const int EntryLength = VhdxLayout.EntryLength;
    private const int OffsetShift = 20;
    private const ulong StateMask = 7;
    private const ulong ReservedMask = ((1ul << OffsetShift) - 1) & ~StateMask;

    private readonly TableCache _tables = new(content, "VHDX");

    internal enum BlockState
    {
        NotPresent = 0,
        Undefined = 1,
        Zero = 2,
        Unmapped = 3,
        FullyPresent = 6,
        PartiallyPresent = 7,
    }

    public long Length => layout.DiskLength;

    public async ValueTask<Stretch> FindAsync(long offset, long most, CancellationToken cancellationToken)
    {
        var block = offset / layout.BlockLength;
        var entries = await _tables.ReadAsync(PlaceOfEntry(block), EntryLength, cancellationToken);
        var within = offset % layout.BlockLength;
        var blocks = (int)Math.Min(entries.Length / EntryLength, layout.ChunkBlocks - block % layout.ChunkBlocks);
        var first = BinaryPrimitives.ReadUInt64LittleEndian(entries.Span);
        var (kind, next, length) = (KindOf(first), OffsetOf(first), layout.BlockLength - within);
        for (var i = 1; i < blocks && length < most; i++)
        {
            next += layout.BlockLength;
            var entry = BinaryPrimitives.ReadUInt64LittleEndian(entries.Span[(i * EntryLength)..]);
            if (KindOf(entry) != kind || (kind is ExtentKind.Data && OffsetOf(entry) != next))
                break;

            length += layout.BlockLength;
        }

        return new Stretch(kind, offset, Math.Min(length, most), OffsetOf(first) + within);
    }

    public ValueTask ReadAsync(Stretch stretch, Memory<byte> buffer, CancellationToken cancellationToken) =>
        content.ReadExactlyAsync("VHDX", stretch.Place, buffer, cancellationToken);

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var taken = new TakenUnits((content.Length + VhdxLayout.MiB - 1) / VhdxLayout.MiB);
        do
        {
            Take(taken, 0, VhdxLayout.MiB);
            Take(taken, layout.Metadata.Offset, layout.Metadata.Length);
            Take(taken, layout.Bat.Offset, layout.Bat.Length);
            Take(taken, layout.Log.Offset, layout.Log.Length);
            for (var index = 0L; index < layout.Entries;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var entries = await _tables.ReadAsync(layout.Bat.Offset + index * EntryLength, EntryLength, cancellationToken);
                index += TakeBlocks(entries.Span, index, taken);
            }
        }
        while (taken.MoveOn());
    }

    private int TakeBlocks(ReadOnlySpan<byte> entries, long index, TakenUnits taken)
    {
        var count = (int)Math.Min(entries.Length / EntryLength, layout.Entries - index);
        for (var i = 0; i < count; i++)
        {
            var entry = BinaryPrimitives.ReadUInt64LittleEndian(entries[(i * EntryLength)..]);
            var isBitmap = (index + i) % (layout.ChunkBlocks + 1) == layout.ChunkBlocks;
            if (isBitmap && (BlockState)(entry & StateMask) is not BlockState.NotPresent)
                throw VhdxLayout.BadGeometry("it has a bitmap, which only an image with a parent has");
            if (!isBitmap && KindOf(entry) is ExtentKind.Data)
                Take(taken, OffsetOf(entry), layout.BlockLength);
        }

        return count;
    }

    private void Take(TakenUnits taken, long offset, long length)
    {
        if (offset > content.Length - length)
            throw Refusal.Truncated("VHDX");
        if (!taken.TryTake(offset / VhdxLayout.MiB, length / VhdxLayout.MiB))
            throw VhdxLayout.BadGeometry("two of its parts lie at one place");
    }

    private long PlaceOfEntry(long block) => layout.Bat.Offset + (block + block / layout.ChunkBlocks) * EntryLength;

    // A block that is undefined or unmapped may read as anything (2.5.1.1), so it reads as what tells nobody anything.
    private static ExtentKind KindOf(ulong entry) => (BlockState)(entry & StateMask) switch
    {
        _ when (entry & ReservedMask) != 0 => throw VhdxLayout.BadGeometry("its block table says what is not known here"),
        BlockState.NotPresent or BlockState.Undefined or BlockState.Unmapped => ExtentKind.Absent,
        BlockState.Zero => ExtentKind.Zero,
        BlockState.FullyPresent => ExtentKind.Data,
        BlockState.PartiallyPresent => throw new UnsafeContentException("vhdx-parent", "the VHDX image has blocks of which a part is in another image."),
        _ => throw VhdxLayout.BadGeometry("its block table says what is not known here"),
    };

    // 44 bits of MiB do not fit where they are nonsense; the content is shorter than any of those.
    private static long OffsetOf(ulong entry) => (long)Math.Min(entry >> OffsetShift, (ulong)Refusal.MaxVirtualSize >> OffsetShift) << OffsetShift;
}
