using Vitrine.Content;

namespace Vitrine.Stores;

/// <summary>Checks a store that is in use: whether it does what every store promises, or whether it can be read where it takes nothing new.</summary>
/// <remarks>
/// What is tried is a content of the check's own. The catalogue holds it as one that is being removed for as long as the check runs, so that
/// no sweep takes it away before; should the check die, the next run of it begins with what was left, or a sweep removes it.
/// </remarks>
internal sealed class StoreCheck(IReplicaCatalogue replicas, StoreRegistry stores, TimeProvider time) : IStoreWork
{
    public bool Does(StoreOperationKind kind) => kind is StoreOperationKind.Check;

    public async Task<Func<StoreOperation, StoreOperation>> RunAsync(
        StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        var known = await replicas.ListStoresAsync(cancellationToken);
        var result = known.FirstOrDefault(s => s.Name == operation.Store) is { Mode: not StoreMode.Open }
            ? await new ReadingTrial(operation.Store, stores.Contents(operation.Store), time).RunAsync(progress, cancellationToken)
            : await TryAllAsync(operation, progress, cancellationToken);
        return o => o.Finish(result, time.Now());
    }

    private async Task<CheckResult> TryAllAsync(StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        var trial = new WritingTrial(operation, stores.Contents(operation.Store), time);

        // A run of this check that died may have held it; it is this one's now.
        await replicas.EndRemovalAsync(operation.Store, trial.Digest, cancellationToken);
        try
        {
            return await trial.RunAsync(() => HoldAsync(operation.Store, trial.Digest, cancellationToken), progress, cancellationToken);
        }
        finally
        {
            await replicas.EndRemovalAsync(operation.Store, trial.Digest, CancellationToken.None);
        }
    }

    private async Task HoldAsync(string store, Digest digest, CancellationToken cancellationToken)
    {
        await replicas.EndRemovalAsync(store, digest, cancellationToken);
        await replicas.TryBeginRemovalAsync(store, digest, cancellationToken);
    }
}
