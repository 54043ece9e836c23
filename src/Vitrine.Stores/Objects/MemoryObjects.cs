using System.Runtime.CompilerServices;

namespace Vitrine.Stores.Objects;

/// <summary>Keeps objects in memory, for as long as the process lives.</summary>
/// <param name="capacity">How many bytes fit; null for as many as the machine has.</param>
/// <param name="beyondFlushingAt">From which length on an object that grows can only be sealed, where it was not flushed before; null for never.</param>
internal sealed class MemoryObjects(string store, TimeProvider time, long? capacity = null, long? beyondFlushingAt = null) : IObjectStore
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Entry> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Held> _locks = new(StringComparer.Ordinal);

    /// <summary>Forgets what appenders did not flush, and every lock: what a power cut does.</summary>
    /// <param name="chance">Decides how much of what was not flushed got to the disk all the same; without it, nothing did.</param>
    public void CutPower(Random? chance = null)
    {
        lock (_lock)
        {
            _locks.Clear();
            foreach (var entry in _objects.Values)
                entry.Bytes.SetLength(entry.Durable + (chance?.NextInt64(entry.Bytes.Length - entry.Durable + 1) ?? 0));
        }
    }

    /// <summary>Changes one bit, as a failing disk does.</summary>
    public void Flip(string name, long offset)
    {
        lock (_lock)
            _objects[name].Bytes.GetBuffer()[offset] ^= 1;
    }

    public Task<ObjectFacts?> FindAsync(string name, CancellationToken cancellationToken)
    {
        lock (_lock)
            return Task.FromResult<ObjectFacts?>(_objects.TryGetValue(name, out var entry) ? entry.FactsOf(name) : null);
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
            return ValueTask.FromResult(_objects.TryGetValue(name, out var entry) ? entry.Read(offset, buffer.Span) : throw new ObjectMissingException(name));
    }

    public Task PutAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var entry = new Entry(time.GetUtcNow());
            ThrowIfFull(bytes.Length);
            entry.Bytes.Write(bytes.Span);
            entry.Durable = bytes.Length;
            _objects[name] = entry;
        }

        return Task.CompletedTask;
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
            _objects.Remove(name);

        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<ObjectFacts> found;
        lock (_lock)
            found = [.. _objects.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(o => o.Value.FactsOf(o.Key))];

        foreach (var facts in found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return facts;
        }

        await Task.CompletedTask;
    }

    public Task<ObjectAppender> OpenAppenderAsync(string name, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_objects.TryGetValue(name, out var entry))
                _objects.Add(name, entry = new Entry(time.GetUtcNow()));

            return Task.FromResult<ObjectAppender>(new Appender(this, name, entry));
        }
    }

    public async Task<ObjectAppender> BeginAppenderAsync(string name, string sealedName, CancellationToken cancellationToken)
    {
        var appender = (Appender)await OpenAppenderAsync(name, cancellationToken);
        appender.BeyondFlushingAt = beyondFlushingAt;
        return appender;
    }

    public Task<IAsyncDisposable?> TryLockAsync(string name, CancellationToken cancellationToken)
    {
        var held = new Held(this, name);
        lock (_lock)
            return Task.FromResult<IAsyncDisposable?>(_locks.TryAdd(name, held) ? held : null);
    }

    public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return Task.FromResult(new StoreCapacity(capacity, Free()));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private long? Free() => capacity - _objects.Values.Sum(o => o.Bytes.Length);

    private void ThrowIfFull(long needed)
    {
        if (Free() is { } free && needed > free)
            throw new StoreFullException(store, needed, free);
    }

    private sealed class Entry(DateTimeOffset lastWrite)
    {
        public MemoryStream Bytes { get; } = new();
        public long Durable { get; set; }

        public ObjectFacts FactsOf(string name) => new(name, Bytes.Length, lastWrite);

        public int Read(long offset, Span<byte> buffer)
        {
            var count = (int)Math.Clamp(Bytes.Length - offset, 0, buffer.Length);
            Bytes.GetBuffer().AsSpan((int)Math.Min(offset, Bytes.Length), count).CopyTo(buffer);
            return count;
        }
    }

    private sealed class Held(MemoryObjects objects, string name) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            lock (objects._lock)
            {
                // Only while it is this one: the power may have been cut since, and somebody else hold it.
                if (objects._locks.GetValueOrDefault(name) == this)
                    objects._locks.Remove(name);
            }

            return ValueTask.CompletedTask;
        }
    }

    private sealed class Appender(MemoryObjects objects, string name, Entry entry) : ObjectAppender
    {
        public long? BeyondFlushingAt { get; set; }

        public override bool IsBeyondFlushing => Length >= BeyondFlushingAt;

        public override long Length
        {
            get
            {
                lock (objects._lock)
                    return entry.Bytes.Length;
            }
        }

        public override ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (objects._lock)
            {
                objects.ThrowIfFull(bytes.Length);
                entry.Bytes.Position = entry.Bytes.Length;
                entry.Bytes.Write(bytes.Span);
            }

            return ValueTask.CompletedTask;
        }

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            ThrowIfBeyondFlushing();
            lock (objects._lock)
                return ValueTask.FromResult(entry.Read(offset, buffer.Span));
        }

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            ThrowIfBeyondFlushing();
            BeyondFlushingAt = null;
            lock (objects._lock)
                entry.Durable = entry.Bytes.Length;

            return Task.CompletedTask;
        }

        public override Task CutAsync(long length, CancellationToken cancellationToken)
        {
            lock (objects._lock)
            {
                entry.Bytes.SetLength(Math.Min(length, entry.Bytes.Length));
                entry.Durable = Math.Min(entry.Durable, length);
            }

            return Task.CompletedTask;
        }

        public override Task SealAsync(string sealedName, CancellationToken cancellationToken)
        {
            lock (objects._lock)
            {
                entry.Durable = entry.Bytes.Length;
                objects._objects.Remove(name);
                objects._objects.Add(sealedName, entry);
            }

            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private void ThrowIfBeyondFlushing()
        {
            if (IsBeyondFlushing)
                throw new InvalidOperationException("It can only be sealed or given up.");
        }
    }
}
