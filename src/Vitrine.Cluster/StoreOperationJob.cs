using Quartz;
using Vitrine.Stores;

namespace Vitrine.Cluster;

/// <summary>Tells the runner of one operation of a store. The trigger carries its id and nothing else; the truth is in the catalogue.</summary>
internal sealed class StoreOperationJob(StoreOperationRunner runner) : IJob
{
    private const string IdKey = "operation";

    public static readonly JobKey Key = new("run", "store-operations");

    /// <summary>Fires once, at once. One trigger an operation, so that scheduling twice is scheduling once.</summary>
    /// <param name="node">The node that is to run it while it lives; that of the zone which comes first, where none is named.</param>
    public static ITrigger TriggerFor(StoreOperationId id, PreferredNode node = default) => TriggerBuilder.Create()
        .ForJob(Key)
        .WithIdentity(id.ToString(), Key.Group)
        .WithExecutionGroup(Key.Group)
        .WithPreferredNode(node)
        .UsingJobData(IdKey, id.ToString())
        .StartNow()
        .Build();

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await runner.RunAsync(StoreOperationId.Parse(context.MergedJobDataMap.GetString(IdKey)!), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops. The operation is back in the queue, and whoever comes next begins it again.
        }
    }
}
