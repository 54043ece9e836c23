using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Conversion;

/// <summary>A content that exists nowhere: every range of it is put together from the disk and from what the layout says.</summary>
/// <param name="disk">Stays the conversion's, which must outlive this.</param>
internal sealed class LaidOutContent(Disk disk, Layout layout) : ContentReader
{
    public override long Length => layout.Length;

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, Length - offset)];
        for (var filled = 0; filled < buffer.Length;)
            filled += await FillAsync(offset + filled, buffer[filled..], cancellationToken);

        return buffer.Length;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ValueTask<int> FillAsync(long position, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (position >= layout.PayloadStart && position < layout.PayloadEnd)
            return layout.ReadPayloadAsync(disk, position - layout.PayloadStart, Cut(layout.PayloadEnd), cancellationToken);

        var around = Cut(position < layout.PayloadStart ? layout.PayloadStart : layout.Length).Span;
        around.Clear();
        foreach (var region in layout.Regions)
            CopyOverlap(region, position, around);

        return ValueTask.FromResult(around.Length);

        Memory<byte> Cut(long end) => buffer[..(int)Math.Min(buffer.Length, end - position)];
    }

    private static void CopyOverlap(Region region, long position, Span<byte> bytes)
    {
        var start = Math.Max(region.Offset, position);
        var end = Math.Min(region.End, position + bytes.Length);
        if (start < end)
            region.CopyTo(start - region.Offset, bytes[(int)(start - position)..(int)(end - position)]);
    }
}
