using System.Runtime.CompilerServices;

namespace Vitrine.Stores.Chunked;

/// <summary>A content as Zstandard frames (RFC 8878), one behind the other: those of its segments as they are stored, and new ones for the rest of it.</summary>
/// <remarks>
/// The rest are zeros, segments that did not shrink, and pieces of segments that the content has in part, or with zeros in between: those that
/// follow each other are compressed anew, together. A few parts are read and made while others are sent, as many as a reader may load ahead. All of it as one frame would suit decoders
/// that stop after the first; but what a block means hangs on the last offsets of the blocks before it in its frame, so blocks of several cannot be joined.
/// </remarks>
internal sealed class ContentFrames(ContentMap map, ExtentReader extents)
{
    // Many that weigh nothing are none of use either.
    private const int MostAhead = 16;

    /// <summary>Makes the frames of what the content has from an offset on; nothing of a part that fails is given.</summary>
    /// <returns>Frames that are the caller's to dispose.</returns>
    /// <exception cref="StoreDamagedException">The store does not have the bytes that were written.</exception>
    public async IAsyncEnumerable<MadeFrames> FromAsync(long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var underWay = new Queue<(Task<MadeFrames> Made, int Weight)>();
        var weight = 0L;
        extents.EnterReadAhead();
        await using var plan = PlanAsync(offset).GetAsyncEnumerator(cancellationToken);
        try
        {
            while (true)
            {
                while (underWay.Count < MostAhead && weight < extents.Window && await plan.MoveNextAsync())
                {
                    underWay.Enqueue((Begin(plan.Current, cancellationToken), plan.Current.Weight));
                    weight += plan.Current.Weight;
                }

                if (!underWay.TryDequeue(out var next))
                    yield break;

                yield return await next.Made;
                weight -= next.Weight;
            }
        }
        finally
        {
            extents.LeaveReadAhead();
            foreach (var unwanted in underWay)
                await DropAsync(unwanted.Made);
        }
    }

    private Task<MadeFrames> Begin(FramePart part, CancellationToken cancellationToken) =>
        Task.Run(() => part.MakeAsync(extents, cancellationToken), cancellationToken);

    private static async Task DropAsync(Task<MadeFrames> unwanted)
    {
        await ((Task)unwanted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (unwanted.IsCompletedSuccessfully)
            (await unwanted).Dispose();
    }

    private async IAsyncEnumerable<FramePart> PlanAsync(long offset)
    {
        var pieces = new GatheredPieces();
        await foreach (var (extent, whole) in CutAsync(offset))
        {
            if (whole is null && pieces.TryAdd(extent))
                continue;
            if (pieces.Count > 0)
                yield return pieces.Take();

            if (whole is { } run)
                yield return new SegmentsPart(run);
            else if (extent.IsZero)
                yield return new ZerosPart(extent.Length);
            else
                pieces.TryAdd(extent);
        }

        if (pieces.Count > 0)
            yield return pieces.Take();
    }

    /// <summary>Cuts what the content has from an offset on into zeros, runs of whole segments, and pieces of one segment each.</summary>
    private async IAsyncEnumerable<(MapExtent Extent, SegmentRun? Whole)> CutAsync(long offset)
    {
        foreach (var extent in map.From(offset))
        {
            if (extent.IsZero)
            {
                yield return (extent, null);
                continue;
            }

            var run = await extents.GetRunAsync(extent);
            for (var rest = extent; rest.Length > 0;)
            {
                var (first, whole) = CutOff(rest, run);
                yield return (first, whole);
                rest = rest.Skip(first.Length);
                run = run with { First = (whole?.Last ?? run.First) + 1 };
            }
        }
    }

    /// <param name="run">The segments that have the extent's bytes.</param>
    private (MapExtent First, SegmentRun? Whole) CutOff(MapExtent extent, SegmentRun run)
    {
        var first = run.Segments[run.First];
        var end = extent.Offset + extent.Length;
        if (extent.Offset > first.PlainStart || end < first.PlainEnd)
            return (extent.Take(Math.Min(end, first.PlainEnd) - extent.Offset), null);

        var whole = run with { Last = run.First };
        while (whole.Last < run.Last && run.Segments[whole.Last + 1] is var next && next.PlainEnd <= end && next.End - whole.Start <= extents.Step)
            whole = whole with { Last = whole.Last + 1 };

        return (extent.Take(run.Segments[whole.Last].PlainEnd - extent.Offset), whole);
    }

    /// <summary>Pieces that are gathered until they are as much as a segment.</summary>
    private sealed class GatheredPieces
    {
        private List<MapExtent> _pieces = [];
        private int _length;

        public int Count => _pieces.Count;

        /// <returns>False where there is no room for it, or where it is zeros and nothing stands before them.</returns>
        public bool TryAdd(MapExtent piece)
        {
            if (piece.Length > PackFormat.MaxSegment - _length || (piece.IsZero && Count == 0))
                return false;

            _pieces.Add(piece);
            _length += (int)piece.Length;
            return true;
        }

        public PiecesPart Take()
        {
            var part = new PiecesPart(_pieces, _length);
            (_pieces, _length) = ([], 0);
            return part;
        }
    }
}
