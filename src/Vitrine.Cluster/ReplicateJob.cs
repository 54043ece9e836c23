using Quartz;
using Vitrine.Stores;

namespace Vitrine.Cluster;

/// <summary>Has a store get by itself what is wanted there.</summary>
[DisallowConcurrentExecution]
internal sealed class ReplicateJob(Replication replication) : IJob
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await StoreJobs.RunAsync(context, store => replication.RunAsync(store, cancellationToken), cancellationToken);
}
