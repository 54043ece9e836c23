using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Testing;

/// <summary>A store around a store whose calls wait, where the test asked for it, until the test says go.</summary>
public sealed class PausedStore : IContentStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<StoreCall, Gate> _gates = [];
    private readonly InterceptedStore _store;

    public PausedStore(IContentStore inner) => _store = new InterceptedStore(inner, WaitIfAsked);

    /// <summary>Lets the next call of this kind, and those after it, wait at a gate.</summary>
    public Gate Pause(StoreCall call)
    {
        var gate = new Gate();
        lock (_lock)
            _gates[call] = gate;

        return gate;
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

    private Task WaitIfAsked(StoreCall call, CancellationToken cancellationToken)
    {
        lock (_lock)
            return _gates.TryGetValue(call, out var gate) ? gate.PassAsync(cancellationToken) : Task.CompletedTask;
    }

    /// <summary>Where calls wait. Once opened it stays open.</summary>
    public sealed class Gate
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when the first call has come to the gate.</summary>
        public Task Reached => _reached.Task;

        public void Open() => _opened.TrySetResult();

        internal Task PassAsync(CancellationToken cancellationToken)
        {
            _reached.TrySetResult();
            return _opened.Task.WaitAsync(cancellationToken);
        }
    }
}
