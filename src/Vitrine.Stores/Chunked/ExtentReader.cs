namespace Vitrine.Stores.Chunked;

/// <summary>Reads what extents mean. Any number of callers at once.</summary>
/// <param name="step">How many bytes are worth a request of their own.</param>
internal sealed class ExtentReader(PackRegistry packs, SegmentCache cache, int step)
{
    // Of a reader's own window, and of the cache for the windows of all: what was read lies in it, too, until it is pushed out.
    private const int MostSteps = 4;
    private const int CachePart = 4;
    private const int MostReaders = 64;

    private readonly int _ahead = 2 * step / PackFormat.MaxSegment;
    private int _readers;

    /// <summary>How far ahead a reader loads at the least.</summary>
    public int Step => step;

    /// <summary>How far ahead a reader may load, so that those that read just now do not push out each other's.</summary>
    public long Window => Math.Clamp(cache.Budget / CachePart / Math.Max(_readers, 1), step, MostSteps * (long)step);

    /// <summary>Whether so many load ahead that no more should who do it beside the cache.</summary>
    public bool IsCrowded => Volatile.Read(ref _readers) >= MostReaders;

    /// <summary>Says that one more reader loads ahead.</summary>
    public void EnterReadAhead() => Interlocked.Increment(ref _readers);

    public void LeaveReadAhead() => Interlocked.Decrement(ref _readers);

    /// <summary>Fills the buffer with the first bytes of an extent, as far as one segment has them.</summary>
    /// <param name="isSequential">Whether what lies behind in the pack is likely to be wanted next, and nobody loads it ahead.</param>
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

        using var segment = await cache.GetAsync(extent.Pack, segments, index, isSequential ? _ahead - 1 : 0);
        if (isSequential && index + _ahead / 2 is var next && next < segments.Count && !cache.Has(extent.Pack, next))
            cache.Prefetch(new SegmentRun(extent.Pack, segments, next, Math.Min(next + _ahead, segments.Count) - 1));

        var plain = segment.Plain[(int)(extent.Offset - segments[index].PlainStart)..];
        var count = Math.Min(wanted, plain.Length);
        plain[..count].CopyTo(buffer.Span);
        return count;
    }

    /// <returns>The segments that have an extent's bytes; null where there are none.</returns>
    /// <exception cref="StoreDamagedException">The pack is not there, or is not what was written.</exception>
    public async ValueTask<SegmentRun?> FindRunAsync(MapExtent extent)
    {
        var segments = await packs.SegmentsAsync(extent.Pack);
        var (first, last) = (FindSegment(segments, extent.Offset), FindSegment(segments, (uint)(extent.Offset + extent.Length - 1)));
        return first >= 0 && last >= first ? new SegmentRun(extent.Pack, segments, first, last) : null;
    }

    /// <returns>The segments that have an extent's bytes.</returns>
    /// <exception cref="StoreDamagedException">There are none, or the pack is not there, or is not what was written.</exception>
    public async ValueTask<SegmentRun> GetRunAsync(MapExtent extent) => await FindRunAsync(extent) ?? throw packs.Damaged(packs[extent.Pack]);

    /// <summary>Reads segments as they are stored, and what lies between them.</summary>
    /// <exception cref="StoreDamagedException">They do not have the bytes that were written.</exception>
    public async Task ReadStoredAsync(SegmentRun run, Memory<byte> stored, CancellationToken cancellationToken)
    {
        await packs.ReadStoredAsync(run.Pack, run.Start, stored, cancellationToken);
        for (var i = run.First; i <= run.Last; i++)
        {
            if (Checksum32.Of(run.StoredOf(i, stored).Span) != run.Segments[i].Checksum)
                throw packs.Damaged(packs[run.Pack]);
        }
    }

    /// <summary>Begins to load segments, and waits for nothing.</summary>
    public void Prefetch(SegmentRun run) => cache.Prefetch(run);

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
