using Quartz;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>Tells the runner of one transfer. The trigger carries its id and nothing else; the truth is in the catalogue.</summary>
internal sealed class TransferJob(TransferRunner runner) : IJob
{
    private const string IdKey = "transfer";

    public static readonly JobKey Key = new("run", "transfers");

    /// <summary>Fires once, at once. One trigger a transfer, so that scheduling twice is scheduling once.</summary>
    public static ITrigger TriggerFor(TransferId id) => TriggerBuilder.Create()
        .ForJob(Key)
        .WithIdentity(id.ToString(), Key.Group)
        .WithExecutionGroup(Key.Group)
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
    }
}
