namespace Vitrine.Stores.Chunked;

/// <summary>Keeps what was loaded not long ago, up to a number. Several that want one thing at once load it once.</summary>
/// <param name="budget">How much may be kept in all, by weight.</param>
/// <param name="weigh">Tells the weight of what a key stands for; without it only the number counts.</param>
internal sealed class Recent<TKey, TValue>(int most, long budget = long.MaxValue, Func<TKey, long>? weigh = null)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, Task<TValue> Value)>> _byKey = [];
    private readonly LinkedList<(TKey Key, Task<TValue> Value)> _recent = new();
    private long _weight;

    /// <param name="load">Is not cancelled: others may wait for it too.</param>
    public Task<TValue> GetAsync(TKey key, Func<TKey, Task<TValue>> load)
    {
        lock (_lock)
        {
            if (_byKey.TryGetValue(key, out var known))
            {
                if (!known.Value.Value.IsFaulted)
                {
                    _recent.Remove(known);
                    _recent.AddFirst(known);
                    return known.Value.Value;
                }

                Remove(key);
            }

            var value = Task.Run(() => load(key));
            _byKey[key] = _recent.AddFirst((key, value));
            _weight += WeightOf(key);
            while (_recent.Count > most || (_recent.Count > 1 && _weight > budget))
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
            _weight = 0;
        }
    }

    public void Remove(TKey key)
    {
        lock (_lock)
        {
            if (!_byKey.Remove(key, out var node))
                return;

            _recent.Remove(node);
            _weight -= WeightOf(key);
        }
    }

    private long WeightOf(TKey key) => weigh?.Invoke(key) ?? 0;
}
