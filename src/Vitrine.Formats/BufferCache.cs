namespace Vitrine.Formats;

/// <summary>Buffers by number, the last used of them, within a budget of bytes. What was handed out is never written to again.</summary>
internal sealed class BufferCache(long budget)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _held;

    public byte[]? Find(long number)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(number, out var node))
                return null;

            if (node != _byUse.First)
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
            }

            return node.Value.Bytes;
        }
    }

    /// <summary>Keeps a buffer, and drops those that were not used for the longest time. One is kept whatever its length.</summary>
    public void Add(long number, byte[] bytes)
    {
        lock (_lock)
        {
            if (_entries.ContainsKey(number))
                return;

            _entries.Add(number, _byUse.AddFirst(new Entry(number, bytes)));
            _held += bytes.Length;
            while (_held > budget && _byUse.Count > 1)
                DropLast();
        }
    }

    private void DropLast()
    {
        var last = _byUse.Last!.Value;
        _byUse.RemoveLast();
        _entries.Remove(last.Number);
        _held -= last.Bytes.Length;
    }

    private readonly record struct Entry(long Number, byte[] Bytes);
}
