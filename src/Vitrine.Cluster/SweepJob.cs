using Quartz;
using Vitrine.Events;
using Vitrine.Stores;

namespace Vitrine.Cluster;

/// <summary>Frees regularly what nobody refers to, forgets old events, and begins what stores want done after that; on one node of the zone at a time.</summary>
[DisallowConcurrentExecution]
internal sealed class SweepJob(ContentSweeper sweeper, StoreOperations operations, EventFeed events) : IJob
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        await sweeper.SweepAsync(cancellationToken);
        await operations.RequestDueAsync(cancellationToken);
        await events.PruneAsync(cancellationToken);
    }
}
