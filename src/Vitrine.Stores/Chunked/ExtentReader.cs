namespace Vitrine.Stores.Chunked;

/// <summary>Reads what extents mean. Any number of callers at once.</summary>
internal sealed class ExtentReader(PackRegistry packs, SegmentCache cache)
{
    private const int Ahead = 8;

    /// <summary>Fills the buffer with the first bytes of an extent, as far as one segment has them.</summary>
    /// <param name="isSequential">Whether what lies behind is likely to be wanted next.</param>
    /// <returns>How many bytes were read: at least one.</returns>
    public async ValueTask<int> ReadAsync(MapExtent extent, Memory<byte> buffer, bool isSequential)
    {
        var wanted = (int)Math.Min(extent.Length, buffer.Length);
        if (extent.IsZero)
        {
            buffer.Span[..wanted].Clear();
            return wanted;
        }

        var segments = await packs.SegmentsAsync(extent.Pack);
        var index = FindSegment(segments, extent.Offset);
        if (index < 0)
            throw packs.Damaged(packs[extent.Pack]);

        using var segment = await cache.GetAsync(extent.Pack, segments, index, isSequential ? Ahead - 1 : 0);
        if (isSequential)
            cache.Prefetch(extent.Pack, segments, index + Ahead / 2, Ahead);

        var plain = segment.Plain[(int)(extent.Offset - segments[index].PlainStart)..];
        var count = Math.Min(wanted, plain.Length);
        plain[..count].CopyTo(buffer.Span);
        return count;
    }

    /// <summary>The number of the segment that has a byte of the plain space; negative where there is none.</summary>
    public static int FindSegment(IReadOnlyList<SegmentEntry> segments, uint offset)
    {
        var (low, high) = (0, segments.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (offset < segments[middle].PlainStart)
                high = middle - 1;
            else if (offset >= segments[middle].PlainEnd)
                low = middle + 1;
            else
                return middle;
        }

        return -1;
    }
}
