using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing;
using Vitrine.Testing.Library;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>The life of a process, which ends after so many steps outside of its memory; afterwards it can do nothing any more.</summary>
internal sealed class Life(int steps)
{
    private int _left = steps;

    public bool IsOver => Volatile.Read(ref _left) < 0;

    public void Step()
    {
        if (IsOver || Interlocked.Decrement(ref _left) < 0)
            throw new KilledException();
    }

    public Task StepAsync()
    {
        Step();
        return Task.CompletedTask;
    }

    public IContentStore Wrap(IContentStore store) => new InterceptedStore(store, (_, _) => StepAsync());

    public IReplicaCatalogue Wrap(IReplicaCatalogue replicas) => new MortalReplicas(this, replicas);

    public IUploadPartCatalogue Wrap(IUploadPartCatalogue parts) => new MortalParts(this, parts);

    public void Watch(WatchedCatalogue catalogue)
    {
        catalogue.Before = _ => StepAsync();
        catalogue.After = _ => StepAsync();
    }

    private sealed class MortalParts(Life life, IUploadPartCatalogue inner) : IUploadPartCatalogue
    {
        public Task<IReadOnlyList<UploadPart>> ListAsync(TransferId upload, CancellationToken cancellationToken) => inner.ListAsync(upload, cancellationToken);

        public async Task<IReadOnlyList<UploadPart>> ChangeAsync(
            TransferId upload, Func<IReadOnlyList<UploadPart>, IReadOnlyList<UploadPart>> decide, CancellationToken cancellationToken)
        {
            life.Step();
            var parts = await inner.ChangeAsync(upload, decide, cancellationToken);
            life.Step();
            return parts;
        }
    }

    /// <summary>The steps of claims and removals; what is only asked costs nothing.</summary>
    private sealed class MortalReplicas(Life life, IReplicaCatalogue inner) : IReplicaCatalogue
    {
        public Task<IReadOnlyList<Replica>> ListAsync(IReadOnlyCollection<ImageId> images, CancellationToken cancellationToken) =>
            inner.ListAsync(images, cancellationToken);

        public Task<bool> TryClaimAsync(string store, Digest digest, TransferId transfer, CancellationToken cancellationToken) =>
            BetweenStepsAsync(() => inner.TryClaimAsync(store, digest, transfer, cancellationToken));

        public Task<bool> TryBeginRemovalAsync(string store, Digest digest, CancellationToken cancellationToken) =>
            BetweenStepsAsync(() => inner.TryBeginRemovalAsync(store, digest, cancellationToken));

        public Task EndRemovalAsync(string store, Digest digest, CancellationToken cancellationToken) =>
            BetweenStepsAsync(async () =>
            {
                await inner.EndRemovalAsync(store, digest, cancellationToken);
                return true;
            });

        public Task<IReadOnlyList<ContentHolder>> ListHoldersAsync(string store, CancellationToken cancellationToken) =>
            inner.ListHoldersAsync(store, cancellationToken);

        public Task<StoreUse> MeasureAsync(string store, CancellationToken cancellationToken) => inner.MeasureAsync(store, cancellationToken);

        public Task SaveStoreAsync(Zone zone, LibraryStore store, CancellationToken cancellationToken) =>
            inner.SaveStoreAsync(zone, store, cancellationToken);

        public Task<IReadOnlyList<Zone>> ListZonesAsync(CancellationToken cancellationToken) => inner.ListZonesAsync(cancellationToken);

        public Task<IReadOnlyList<LibraryStore>> ListStoresAsync(CancellationToken cancellationToken) => inner.ListStoresAsync(cancellationToken);

        public Task SaveModeAsync(string store, StoreMode mode, CancellationToken cancellationToken) => inner.SaveModeAsync(store, mode, cancellationToken);

        public Task SaveSyncAddressAsync(string store, Uri? address, CancellationToken cancellationToken) =>
            inner.SaveSyncAddressAsync(store, address, cancellationToken);

        public Task<IReadOnlyList<Replica>> ListRetiredAsync(string store, CancellationToken cancellationToken) =>
            inner.ListRetiredAsync(store, cancellationToken);

        public Task<IReadOnlyList<ImageId>> ListMissingAsync(IReadOnlyCollection<string> from, string to, CancellationToken cancellationToken) =>
            inner.ListMissingAsync(from, to, cancellationToken);

        private async Task<bool> BetweenStepsAsync(Func<Task<bool>> work)
        {
            life.Step();
            var result = await work();
            life.Step();
            return result;
        }
    }
}

internal sealed class KilledException() : Exception("The process was killed.");
