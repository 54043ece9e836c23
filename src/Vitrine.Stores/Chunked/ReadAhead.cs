namespace Vitrine.Stores.Chunked;

/// <summary>Loads what a reader that goes on will want next, so far ahead that several requests are under way at once.</summary>
/// <remarks>It begins with one step and goes twice as far each time, so that who wants little loads little. What it cannot load the reader meets itself.</remarks>
internal sealed class ReadAhead(ContentMap map, ExtentReader extents) : IDisposable
{
    // So much between two parts of a pack is loaded along with them, which costs less than another request.
    private const int LongestGap = 256 * 1024;

    private readonly Lock _lock = new();
    private long _window;
    private long _loadedTo;
    private bool _isOver;
    private Task _loading = Task.CompletedTask;

    /// <summary>Says that a reader has come to an offset, and is likely to go on from there.</summary>
    public void GoOn(long offset)
    {
        lock (_lock)
        {
            if (_isOver || !_loading.IsCompleted)
                return;

            if (_window == 0)
                extents.EnterReadAhead();

            var start = _loadedTo >= offset && _loadedTo <= offset + _window ? _loadedTo : offset;
            if (start - offset > _window / 2)
                return;

            _window = Math.Clamp(2 * _window, extents.Step, extents.Window);
            _loadedTo = Math.Min(offset + _window, map.Length);
            if (start < _loadedTo)
                _loading = LoadAsync(start, _loadedTo);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_window > 0)
                extents.LeaveReadAhead();

            (_window, _isOver) = (0, true);
        }
    }

    private async Task LoadAsync(long start, long end)
    {
        try
        {
            var runs = new Dictionary<int, SegmentRun>();
            for (var offset = start; offset < end;)
            {
                var extent = map.At(offset);
                extent = extent.Take(Math.Min(extent.Length, end - offset));
                offset += extent.Length;
                if (extent.IsZero || await extents.FindRunAsync(extent) is not { } run)
                    continue;

                if (!runs.TryGetValue(extent.Pack, out var before))
                {
                    runs[extent.Pack] = run;
                    continue;
                }

                if (!before.TryJoin(run, LongestGap, out var joined))
                {
                    extents.Prefetch(before);
                    joined = run;
                }

                runs[extent.Pack] = joined;
            }

            foreach (var run in runs.Values)
                extents.Prefetch(run);
        }
        catch (LibraryException)
        {
            // As announced.
        }
    }
}

/// <summary>Segments of a pack, one after the other.</summary>
internal readonly record struct SegmentRun(int Pack, IReadOnlyList<SegmentEntry> Segments, int First, int Last)
{
    /// <summary>Where its stored bytes begin in the pack.</summary>
    public uint Start => Segments[First].Offset;

    /// <summary>Of its stored bytes, and of what lies between them.</summary>
    public int StoredLength => (int)(Segments[Last].End - Start);

    /// <summary>The stored bytes of one of its segments, out of those of all.</summary>
    public Memory<byte> StoredOf(int index, Memory<byte> stored) =>
        stored.Slice((int)(Segments[index].Offset - Start), Segments[index].StoredLength);

    /// <summary>Joins a run that begins in this one or not far behind it.</summary>
    public bool TryJoin(SegmentRun next, int longestGap, out SegmentRun joined)
    {
        joined = this with { Last = Math.Max(Last, next.Last) };
        return next.First >= First && (next.First <= Last + 1 || Segments[next.First].Offset - Segments[Last].End <= longestGap);
    }
}
