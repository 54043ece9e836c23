namespace Vitrine.Stores.Chunked;

/// <summary>A map that grows at its end. Neighbours that lie together become one extent.</summary>
internal sealed class MapBuilder
{
    private readonly List<MapExtent> _extents = [];
    private readonly List<long> _starts = [];

    /// <summary>Of the content so far, in bytes.</summary>
    public long Length { get; private set; }

    public int Count => _extents.Count;

    public void Add(MapExtent extent)
    {
        if (_extents is [.., var last] && last.IsFollowedBy(extent))
        {
            _extents[^1] = last with { Length = last.Length + extent.Length };
        }
        else
        {
            _starts.Add(Length);
            _extents.Add(extent);
        }

        Length += extent.Length;
    }

    /// <summary>The rest of the extent that holds an offset below the length, from there.</summary>
    public MapExtent At(long offset)
    {
        var index = IndexOf(offset);
        return _extents[index].Skip(offset - _starts[index]);
    }

    /// <summary>The extents of a range.</summary>
    public List<MapExtent> Slice(long from, long to)
    {
        var found = new List<MapExtent>();
        for (var i = from < to ? IndexOf(from) : _extents.Count; i < _extents.Count && _starts[i] < to; i++)
        {
            var first = Math.Max(from, _starts[i]);
            found.Add(_extents[i].Skip(first - _starts[i]).Take(Math.Min(to, _starts[i] + _extents[i].Length) - first));
        }

        return found;
    }

    public ContentMap Build() => new(_extents);

    private int IndexOf(long offset)
    {
        var found = _starts.BinarySearch(offset);
        return found >= 0 ? found : ~found - 1;
    }
}
