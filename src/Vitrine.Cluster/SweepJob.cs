using Quartz;
using Vitrine.Events;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.Cluster;

/// <summary>Frees regularly what nobody refers to in a store, and begins what the store wants done after that; forgets old events and examinations meanwhile.</summary>
[DisallowConcurrentExecution]
internal sealed class SweepJob(ContentSweeper sweeper, StoreOperations operations, EventFeed events, Examinations examinations) : IJob
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await StoreJobs.RunAsync(
            context,
            async store =>
            {
                await sweeper.SweepAsync(store, cancellationToken);
                await operations.RequestDueAsync(store, cancellationToken);
                await events.PruneAsync(cancellationToken);
                await examinations.PruneAsync(cancellationToken);
            },
            cancellationToken);
}
