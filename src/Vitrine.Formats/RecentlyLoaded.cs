namespace Vitrine.Formats;

/// <summary>Parts of content that were asked for last, and no more than so many; one load serves all who wait for it.</summary>
/// <param name="load">Told the part's key. It runs for whoever asks, so that no single one of them can cancel it.</param>
internal sealed class RecentlyLoaded<TKey, T>(int capacity, Func<TKey, ValueTask<T>> load)
    where TKey : struct, IEquatable<TKey>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<Part>> _parts = [];
    private readonly LinkedList<Part> _byUse = new();

    public ValueTask<T> GetAsync(TKey key, CancellationToken cancellationToken)
    {
        Part? missing = null;
        Task<T> value;
        lock (_lock)
        {
            if (_parts.TryGetValue(key, out var node))
                Touch(node);
            else
                node = Add(missing = new Part(key));

            value = node.Value.Value.Task;
        }

        if (missing is not null)
            return LoadAsync(missing);

        return new ValueTask<T>(value.IsCompleted ? value : value.WaitAsync(cancellationToken));
    }

    private void Touch(LinkedListNode<Part> node)
    {
        if (node == _byUse.First)
            return;

        _byUse.Remove(node);
        _byUse.AddFirst(node);
    }

    private LinkedListNode<Part> Add(Part part)
    {
        if (_parts.Count == capacity)
            Remove(_byUse.Last!);

        var node = _byUse.AddFirst(part);
        _parts.Add(part.Key, node);
        return node;
    }

    private async ValueTask<T> LoadAsync(Part part)
    {
        try
        {
            var value = await load(part.Key);
            part.Value.SetResult(value);
            return value;
        }
        catch (Exception failure)
        {
            Forget(part);
            part.Value.SetException(failure);
            _ = part.Value.Task.Exception; // nobody may be waiting
            throw;
        }
    }

    // The store may only have been away for a moment, so that the next one tries again.
    private void Forget(Part part)
    {
        lock (_lock)
        {
            if (_parts.TryGetValue(part.Key, out var node) && node.Value == part)
                Remove(node);
        }
    }

    private void Remove(LinkedListNode<Part> node)
    {
        _byUse.Remove(node);
        _parts.Remove(node.Value.Key);
    }

    private sealed class Part(TKey key)
    {
        public TKey Key { get; } = key;
        public TaskCompletionSource<T> Value { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
