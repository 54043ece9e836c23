using Quartz;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>Schedules transfers with the zone's Quartz scheduler.</summary>
internal sealed class QuartzTransferScheduler(ISchedulerFactory schedulers) : ITransferScheduler
{
    public async Task ScheduleAsync(TransferId id, CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        await scheduler.ScheduleTrigger(TransferJob.TriggerFor(id), TriggerConflict.Keep, cancellationToken);
    }
}
