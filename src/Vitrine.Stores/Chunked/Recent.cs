namespace Vitrine.Stores.Chunked;

/// <summary>Keeps what was loaded not long ago, up to a number. Several that want one thing at once load it once.</summary>
internal sealed class Recent<TKey, TValue>(int most)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, Task<TValue> Value)>> _byKey = [];
    private readonly LinkedList<(TKey Key, Task<TValue> Value)> _recent = new();

    /// <param name="load">Is not cancelled: others may wait for it too.</param>
    public Task<TValue> GetAsync(TKey key, Func<TKey, Task<TValue>> load)
    {
        lock (_lock)
        {
            if (_byKey.TryGetValue(key, out var known))
            {
                _recent.Remove(known);
                if (!known.Value.Value.IsFaulted)
                {
                    _recent.AddFirst(known);
                    return known.Value.Value;
                }
            }

            var value = Task.Run(() => load(key));
            _byKey[key] = _recent.AddFirst((key, value));
            if (_recent.Count > most)
                Remove(_recent.Last!.Value.Key);

            return value;
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _byKey.Clear();
            _recent.Clear();
        }
    }

    public void Remove(TKey key)
    {
        lock (_lock)
        {
            if (_byKey.Remove(key, out var node))
                _recent.Remove(node);
        }
    }
}
