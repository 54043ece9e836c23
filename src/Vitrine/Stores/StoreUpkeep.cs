using Microsoft.Extensions.Logging;

namespace Vitrine.Stores;

/// <summary>Collects and scrubs stores that share parts among contents.</summary>
internal sealed partial class StoreUpkeep(StoreRegistry stores, IReplicaCatalogue replicas, ReplicaRepair repair, TimeProvider time, ILogger<StoreUpkeep> logger) : IStoreWork
{
    public bool Does(StoreOperationKind kind) => kind is StoreOperationKind.Collect or StoreOperationKind.Scrub;

    public async Task<Func<StoreOperation, StoreOperation>> RunAsync(
        StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        var contents = stores.Contents(operation.Store);
        if (operation.Kind is StoreOperationKind.Collect)
        {
            var upkeep = contents.Upkeep ?? throw new UpkeepNotSupportedException(stores.Choose(operation.Store), StoreOperations.NothingToCollect);
            var collected = await upkeep.CollectAsync(progress, cancellationToken);
            return o => o.Finish(collected, time.Now());
        }

        var scrubbed = contents.Upkeep is { } parts
            ? await parts.ScrubAsync(operation.Rate, progress, cancellationToken)
            : await new WholeScrub(operation.Store, contents, replicas, operation.Rate, time).ScrubAsync(progress, cancellationToken);
        foreach (var fault in scrubbed.Faults)
            LogFault(operation.Store, fault.What, fault.Contents.Count);
        var repairing = await repair.BeginAsync(operation, scrubbed.Faults.Where(f => !f.MayPass).SelectMany(f => f.Contents), cancellationToken);
        return o => o.Finish(scrubbed with { Repairing = repairing }, time.Now());
    }

    [LoggerMessage(LogLevel.Error, "Store {Store} is damaged: {What}; contents that need it: {Contents}")]
    private partial void LogFault(string store, string what, int contents);
}
