using Quartz;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>Which reminders of its zone come to this node: those of work that it takes, and those that it gives to itself.</summary>
internal sealed class NodeReminders(ISchedulerFactory schedulers, StoreRegistry stores, ThisNode node)
{
    // Places for those of stores that are added later; of more, some wait for others.
    private const int StoresAddedLater = 8;

    // Each reads or writes a store as fast as it can.
    private const int ConcurrentOperations = 2;

    /// <summary>How many jobs can run at once where none is refused.</summary>
    public static int PlacesFor(ClusterOptions options) =>
        LimitNames.MostTransfersPerNode + ConcurrentOperations + StoreJobs.OfEach * (options.Stores.Count + StoresAddedLater);

    /// <summary>Takes what comes, or leaves all to other nodes.</summary>
    public async Task AcceptAsync(bool isWanted, CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        await scheduler.SetExecutionLimits(
            Limit(ExecutionLimitsBuilder.Create(), stores.All.Select(s => s.Name), isWanted && node.Roles.Contains(NodeRole.Transfer)).Build(), cancellationToken);
    }

    /// <summary>Has the regular jobs of stores that were added run, here or on another node of the zone.</summary>
    public async Task ServeAsync(IReadOnlyCollection<string> added, bool isWanted, CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        foreach (var store in added)
            await StoreJobs.ScheduleAsync(scheduler, store, cancellationToken);
        await AcceptAsync(isWanted, cancellationToken);
    }

    /// <summary>Reminds this node of a transfer that it can work on. Should it die before, another one is reminded.</summary>
    public async Task RemindHereAsync(TransferId id, CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        await scheduler.ScheduleTrigger(TransferJob.TriggerFor(id, PreferredNode.For(node.Instance)), TriggerConflict.Replace, cancellationToken);
    }

    /// <summary>The same of an operation of a store.</summary>
    public async Task RemindHereAsync(StoreOperationId id, CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        await scheduler.ScheduleTrigger(StoreOperationJob.TriggerFor(id, PreferredNode.For(node.Instance)), TriggerConflict.Replace, cancellationToken);
    }

    /// <summary>How many transfers may run is the catalogue's to say, and a store's own jobs run where the store is reached.</summary>
    public static ExecutionLimitsBuilder Limit(ExecutionLimitsBuilder limits, IEnumerable<string> stores, bool isWanted)
    {
        limits
            .ForGroup(TransferJob.Key.Group, isWanted ? LimitNames.MostTransfersPerNode : 0)
            .ForGroup(StoreOperationJob.Key.Group, isWanted ? ConcurrentOperations : 0)
            .ForOtherGroups(0);
        foreach (var store in stores)
            limits.ForGroup(StoreJobs.GroupOf(store), isWanted ? StoreJobs.OfEach : 0);
        return limits;
    }
}
