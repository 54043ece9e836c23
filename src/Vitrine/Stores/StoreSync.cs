using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Stores;

/// <summary>Brings into one store what others have, by a transfer for each image, and waits until all of them are over.</summary>
internal sealed class StoreSync(
    IReplicaCatalogue replicas, ITransferCatalogue transfers, ImageReplicas copies, StoreRegistry stores, SyncRoutes routes, TimeProvider time) : IStoreWork
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    public bool Does(StoreOperationKind kind) => kind is StoreOperationKind.Sync;

    public async Task<Func<StoreOperation, StoreOperation>> RunAsync(
        StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        if ((await ListBegunAsync(operation, cancellationToken)).Count == 0)
            await CheckStoresAsync(operation, cancellationToken);
        await BeginCopiesAsync(operation, cancellationToken);
        var result = await WatchAsync(operation, progress, cancellationToken);
        if (operation.Moves)
        {
            await AwaitOthersAsync(operation, cancellationToken);
            await GiveUpDoublesAsync(operation, cancellationToken);
        }

        return o => o.Finish(result, time.Now());
    }

    /// <summary>Before the first copy, so that a store which is cut off from here is the reason of one failure, and not of one for each image.</summary>
    /// <exception cref="StoreUnavailableException">One of the stores does not answer.</exception>
    private async Task CheckStoresAsync(StoreOperation operation, CancellationToken cancellationToken)
    {
        foreach (var store in operation.Sources.Prepend(operation.Store).Where(stores.Has))
        {
            // Some stores know their capacity without asking their server, but none what it has.
            var contents = await routes.FindAsync(store, cancellationToken);
            await contents.MeasureAsync(cancellationToken);
            await contents.FindAsync(Digest.Of([]), cancellationToken);
        }
    }

    private async Task BeginCopiesAsync(StoreOperation operation, CancellationToken cancellationToken)
    {
        foreach (var source in operation.Sources)
        {
            var missing = await replicas.ListMissingAsync([source], operation.Store, cancellationToken);
            foreach (var id in Wanted(missing, operation))
                await copies.TryCopyAsync(id, operation, source, cancellationToken);
        }
    }

    /// <summary>What was where it moves to already, or came from another of the stores, is given up too.</summary>
    private async Task GiveUpDoublesAsync(StoreOperation operation, CancellationToken cancellationToken)
    {
        var there = (await replicas.ListHoldersAsync(operation.Store, cancellationToken)).Select(h => h.Image).ToHashSet();
        foreach (var source in operation.Sources)
        {
            var both = (await replicas.ListHoldersAsync(source, cancellationToken)).Select(h => h.Image).Where(there.Contains).ToList();
            foreach (var id in Wanted(both, operation))
                await copies.GiveUpAsync(id, source, operation.Store, cancellationToken);
        }
    }

    private static IEnumerable<ImageId> Wanted(IEnumerable<ImageId> found, StoreOperation operation) =>
        operation.Images.IsEmpty ? found : found.Intersect(operation.Images);

    private async Task<SyncResult> WatchAsync(StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            var begun = await ListBegunAsync(operation, cancellationToken);
            progress.Report(new UpkeepProgress(begun.Sum(t => t.Moved), begun.Sum(t => t.Length ?? 0)));
            if (begun.All(t => t.IsOver))
                return ResultOf(begun);

            await Task.Delay(LookInterval, time, cancellationToken);
        }
    }

    /// <summary>Waits for the copies of images that are to move which others began before now: what these leave is given up after that.</summary>
    private async Task AwaitOthersAsync(StoreOperation operation, CancellationToken cancellationToken)
    {
        var living = await ListLivingAsync(operation.Store, cancellationToken);
        var moving = (await replicas.ListAsync([.. Wanted(living.Select(t => t.Image), operation)], cancellationToken))
            .Where(r => r.State is ReplicaState.Ready && operation.Sources.Contains(r.Store)).Select(r => r.Image).ToHashSet();
        var awaited = living.Where(t => moving.Contains(t.Image)).Select(t => t.Id).ToHashSet();
        while (awaited.Count > 0)
        {
            await Task.Delay(LookInterval, time, cancellationToken);
            awaited.IntersectWith((await ListLivingAsync(operation.Store, cancellationToken)).Select(t => t.Id));
        }
    }

    private Task<IReadOnlyList<Transfer>> ListLivingAsync(string store, CancellationToken cancellationToken) =>
        transfers.ListAsync(
            new TransferQuery { Kinds = [TransferKind.Copy], Store = store, States = Transfer.LivingStates, Limit = int.MaxValue }, cancellationToken);

    private Task<IReadOnlyList<Transfer>> ListBegunAsync(StoreOperation operation, CancellationToken cancellationToken) =>
        transfers.ListAsync(new TransferQuery { Operation = operation.Id, Limit = int.MaxValue }, cancellationToken);

    /// <summary>An operation that began again may have tried an image twice.</summary>
    private static SyncResult ResultOf(IReadOnlyList<Transfer> begun)
    {
        var last = begun.GroupBy(t => t.Image).Select(g => g.FirstOrDefault(t => t.State is TransferState.Done) ?? g.First()).ToList();
        var done = last.Where(t => t.State is TransferState.Done).ToList();
        return new SyncResult(done.Count, done.Sum(t => t.Length ?? 0), last.Count - done.Count);
    }
}
