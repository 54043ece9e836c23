using Vitrine.Content;

namespace Vitrine.Stores.Memory;

/// <summary>Keeps content in memory, for as long as the process lives.</summary>
/// <param name="capacity">How many bytes fit, staged ones included; null for as many as the machine has.</param>
internal sealed class MemoryStore(string name, TimeProvider time, long? capacity = null) : IContentStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Digest, byte[]> _contents = [];
    private readonly Dictionary<StagingKey, StagedMemory> _staged = [];

    public Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken)
    {
        lock (_lock)
            return Task.FromResult(_contents.TryGetValue(digest, out var bytes) ? new StoredContent(digest, bytes.Length) : null);
    }

    public Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _contents.TryGetValue(digest, out var bytes)
                ? Task.FromResult<ContentReader>(new MemoryReader(bytes))
                : throw new ContentMissingException($"The store's {digest}");
        }
    }

    public Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_staged.TryGetValue(key, out var staged))
                _staged.Add(key, staged = new StagedMemory(time.Now()));

            if (staged.Writer is not null)
                throw new WriterBusyException(key);

            return Task.FromResult<ContentWriter>(staged.Writer = new MemoryWriter(this, key, staged));
        }
    }

    public Task DiscardAsync(StagingKey key, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_staged.GetValueOrDefault(key)?.Writer is not null)
                throw new WriterBusyException(key);

            _staged.Remove(key);
            return Task.CompletedTask;
        }
    }

    public Task DeleteAsync(Digest digest, CancellationToken cancellationToken)
    {
        lock (_lock)
            _contents.Remove(digest);

        return Task.CompletedTask;
    }

    public IAsyncEnumerable<StoredContent> ListAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return _contents.Select(c => new StoredContent(c.Key, c.Value.Length)).ToList().ToAsyncEnumerable();
    }

    public IAsyncEnumerable<StagedContent> ListStagedAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return _staged.Select(s => new StagedContent(s.Key, s.Value.Bytes.Length, s.Value.LastWrite)).ToList().ToAsyncEnumerable();
    }

    public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return Task.FromResult(new StoreCapacity(capacity, Free));
    }

    public Task ProbeAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return Free is 0 ? throw new StoreUnavailableException(name, "there is no room left in it.") : Task.CompletedTask;
    }

    /// <summary>Does what the loss of power does to a disk: writers are gone, and with them what they did not flush.</summary>
    public void CutPower()
    {
        lock (_lock)
        {
            foreach (var staged in _staged.Values)
            {
                staged.Bytes.SetLength(staged.Flushed);
                staged.Writer = null;
            }
        }
    }

    private long? Free => capacity - _contents.Values.Sum(c => (long)c.Length) - _staged.Values.Sum(s => s.Bytes.Length);

    private sealed class StagedMemory(DateTimeOffset lastWrite)
    {
        public MemoryStream Bytes { get; } = new();
        public long Flushed { get; set; }
        public DateTimeOffset LastWrite { get; set; } = lastWrite;
        public MemoryWriter? Writer { get; set; }
    }

    private sealed class MemoryReader(byte[] bytes) : ContentReader
    {
        public override long Length => bytes.Length;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            ValueTask.FromResult(Copy(bytes, offset, buffer));

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class MemoryWriter(MemoryStore store, StagingKey key, StagedMemory staged) : ContentWriter
    {
        public override long Length => staged.Bytes.Length;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (store._lock)
            {
                ThrowIfClosed();
                store.ThrowIfFull(bytes.Length);
                staged.Bytes.Position = staged.Bytes.Length;
                staged.Bytes.Write(bytes.Span);
                staged.LastWrite = store.Now();
                return ValueTask.CompletedTask;
            }
        }

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            lock (store._lock)
            {
                ThrowIfClosed();
                return ValueTask.FromResult(Copy(staged.Bytes.GetBuffer().AsSpan(0, (int)staged.Bytes.Length), offset, buffer));
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            lock (store._lock)
            {
                ThrowIfClosed();
                staged.Flushed = staged.Bytes.Length;
                return Task.CompletedTask;
            }
        }

        public override Task ResetAsync(CancellationToken cancellationToken)
        {
            lock (store._lock)
            {
                ThrowIfClosed();
                staged.Bytes.SetLength(0);
                staged.Flushed = 0;
                return Task.CompletedTask;
            }
        }

        public override Task CommitAsync(Digest digest, CancellationToken cancellationToken)
        {
            lock (store._lock)
            {
                ThrowIfClosed();
                store._contents.TryAdd(digest, staged.Bytes.ToArray());
                store._staged.Remove(key);
                staged.Writer = null;
                return Task.CompletedTask;
            }
        }

        public override ValueTask DisposeAsync()
        {
            lock (store._lock)
            {
                if (ReferenceEquals(staged.Writer, this))
                    staged.Writer = null;
            }

            return ValueTask.CompletedTask;
        }

        private void ThrowIfClosed()
        {
            if (!ReferenceEquals(staged.Writer, this))
                throw new InvalidOperationException("The writer has committed or lost its power; open another.");
        }
    }

    private DateTimeOffset Now() => time.Now();

    private void ThrowIfFull(int needed)
    {
        if (Free is { } free && free < needed)
            throw new StoreFullException(name, needed, free);
    }

    private static int Copy(ReadOnlySpan<byte> bytes, long offset, Memory<byte> buffer)
    {
        var start = (int)Math.Min(offset, bytes.Length);
        var count = Math.Min(buffer.Length, bytes.Length - start);
        bytes.Slice(start, count).CopyTo(buffer.Span);
        return count;
    }
}
