using Quartz;
using Vitrine.Stores;

namespace Vitrine.Cluster;

/// <summary>Has a store describe the images that were changed.</summary>
[DisallowConcurrentExecution]
internal sealed class DescribeJob(DescriptionKeeper keeper) : IJob
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await StoreJobs.RunAsync(context, store => keeper.RunAsync(store, cancellationToken), cancellationToken);
}
