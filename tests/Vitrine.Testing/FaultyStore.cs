using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Testing;

/// <summary>A store around a store that fails on request: <c>faulty.On(StoreCall.Commit).Throw(new IOException("…")).Times(1)</c>.</summary>
public sealed class FaultyStore : IContentStore
{
    private readonly Lock _lock = new();
    private readonly List<Fault> _faults = [];
    private readonly InterceptedStore _store;

    public FaultyStore(IContentStore inner) => _store = new InterceptedStore(inner, FailIfAsked);

    /// <summary>Plans a fault for a call; faults of one call come one after the other, in the order of their planning.</summary>
    public Fault On(StoreCall call)
    {
        var fault = new Fault(call);
        lock (_lock)
            _faults.Add(fault);

        return fault;
    }

    /// <summary>Forgets what was planned.</summary>
    public void Heal()
    {
        lock (_lock)
            _faults.Clear();
    }

    public Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken) => _store.FindAsync(digest, cancellationToken);

    public Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken) => _store.OpenAsync(digest, cancellationToken);

    public Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken) => _store.OpenWriterAsync(key, cancellationToken);

    public Task DiscardAsync(StagingKey key, CancellationToken cancellationToken) => _store.DiscardAsync(key, cancellationToken);

    public Task DeleteAsync(Digest digest, CancellationToken cancellationToken) => _store.DeleteAsync(digest, cancellationToken);

    public IAsyncEnumerable<StoredContent> ListAsync(CancellationToken cancellationToken) => _store.ListAsync(cancellationToken);

    public IAsyncEnumerable<StagedContent> ListStagedAsync(CancellationToken cancellationToken) => _store.ListStagedAsync(cancellationToken);

    public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken) => _store.MeasureAsync(cancellationToken);

    public Task ProbeAsync(CancellationToken cancellationToken) => _store.ProbeAsync(cancellationToken);

    private Task FailIfAsked(StoreCall call, CancellationToken cancellationToken)
    {
        lock (_lock)
            return _faults.Find(f => f.Call == call && !f.IsSpent)?.Strike() is { } error ? Task.FromException(error) : Task.CompletedTask;
    }

    /// <summary>What is to go wrong, after how many calls that go well, and how often.</summary>
    public sealed class Fault(StoreCall call)
    {
        private Func<Exception> _error = () => new IOException("The test wants this call to fail.");
        private int _spared;
        private int _left = int.MaxValue;

        internal StoreCall Call => call;

        internal bool IsSpent => _left == 0;

        public Fault Throw(Exception error) => Throw(() => error);

        public Fault Throw(Func<Exception> error)
        {
            _error = error;
            return this;
        }

        public Fault After(int calls)
        {
            _spared = calls;
            return this;
        }

        /// <summary>Without this, it goes wrong each time.</summary>
        public Fault Times(int count)
        {
            _left = count;
            return this;
        }

        internal Exception? Strike()
        {
            if (_spared > 0)
            {
                _spared--;
                return null;
            }

            if (_left != int.MaxValue)
                _left--;

            return _error();
        }
    }
}
