using Quartz;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>Tells the runner of one transfer. The trigger carries its id and nothing else; the truth is in the catalogue.</summary>
internal sealed class TransferJob(TransferRunner runner, TransferQueue queue) : IJob
{
    private const string IdKey = "transfer";

    public static readonly JobKey Key = new("run", "transfers");

    /// <summary>Fires once, at once. One trigger a transfer, so that scheduling twice is scheduling once.</summary>
    /// <param name="node">The node that is to run it while it lives; that of the zone which comes first, where none is named.</param>
    public static ITrigger TriggerFor(TransferId id, PreferredNode node = default) => TriggerBuilder.Create()
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
            await runner.RunAsync(TransferId.Parse(context.MergedJobDataMap.GetString(IdKey)!), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops. The transfer is back in the queue, and whoever comes next goes on with it.
        }

        queue.LookAgain();
    }
}
