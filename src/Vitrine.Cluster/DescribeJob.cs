using Quartz;
using Vitrine.Stores;

namespace Vitrine.Cluster;

/// <summary>Has stores describe the images that were changed; on one node of the zone at a time.</summary>
[DisallowConcurrentExecution]
internal sealed class DescribeJob(DescriptionKeeper keeper) : IJob
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await keeper.RunAsync(cancellationToken);
}
