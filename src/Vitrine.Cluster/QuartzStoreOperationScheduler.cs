using Quartz;
using Vitrine.Stores;

namespace Vitrine.Cluster;

/// <summary>Schedules operations of stores with the zone's Quartz scheduler.</summary>
internal sealed class QuartzStoreOperationScheduler(ISchedulerFactory schedulers) : IStoreOperationScheduler
{
    public async Task ScheduleAsync(StoreOperationId id, CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        await scheduler.ScheduleTrigger(StoreOperationJob.TriggerFor(id), TriggerConflict.Keep, cancellationToken);
    }
}
