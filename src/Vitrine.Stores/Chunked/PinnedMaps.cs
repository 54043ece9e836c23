namespace Vitrine.Stores.Chunked;

/// <summary>Counts the readers of each map.</summary>
internal sealed class PinnedMaps
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ContentMap, int> _readers = [];

    /// <summary>The maps that have readers.</summary>
    public IReadOnlyList<ContentMap> All
    {
        get
        {
            lock (_lock)
                return [.. _readers.Keys];
        }
    }

    /// <returns>To be disposed when the map is read no more.</returns>
    public IDisposable Pin(ContentMap map)
    {
        lock (_lock)
            _readers[map] = _readers.GetValueOrDefault(map) + 1;

        return new Pinned(this, map);
    }

    private void Release(ContentMap map)
    {
        lock (_lock)
        {
            if (--_readers[map] == 0)
                _readers.Remove(map);
        }
    }

    private sealed class Pinned(PinnedMaps maps, ContentMap map) : IDisposable
    {
        private int _isReleased;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReleased, 1) == 0)
                maps.Release(map);
        }
    }
}
