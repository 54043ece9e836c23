using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vitrine.Images;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>Reports this node alive, and sees to transfers and operations of stores that nobody works on.</summary>
/// <remarks>
/// The catalogue says what is to be done. A reminder that a crash lost, a transfer whose node died, an upload whose client
/// went away: all are found here within a beat, whatever lost them.
/// </remarks>
internal sealed partial class NodeService(
    ClusterOptions options, ThisNode node, INodeCatalogue nodes, ITransferCatalogue transfers, ITransferScheduler scheduler,
    TransferRunner runner, IStoreOperationCatalogue operations, IStoreOperationScheduler operationScheduler, StoreOperationRunner operationRunner,
    ImageUploads uploads, TimeProvider time, ILogger<NodeService> logger) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(4);

    private readonly DateTimeOffset _startedAt = time.Now();

    /// <summary>The first beat is part of the start: when the server is ready, the node is known.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReportAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>To look after transfers may take long; nobody may take the node for dead meanwhile.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(ReportAsync, stoppingToken),
        RepeatAsync(AdoptTransfersAsync, stoppingToken),
        RepeatAsync(AdoptOperationsAsync, stoppingToken),
        RepeatAsync(uploads.TidyAsync, stoppingToken));

    private async Task RepeatAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Beat, time);
        do
        {
            await TryAsync(work, stopping);
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private async Task TryAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        try
        {
            await work(stopping);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // The database may be away for a moment; the next beat tries again, and silence is what the others go by.
            LogBeatFailed(failure);
        }
    }

    private Task ReportAsync(CancellationToken stopping) => nodes.SaveAsync(
        new Node(node.Name, node.Instance, node.Zone, options.Roles, options.Address, options.Version, _startedAt, time.Now()), stopping);

    private async Task AdoptTransfersAsync(CancellationToken stopping)
    {
        foreach (var transfer in await transfers.ListOrphansAsync(await ListOthersAsync(stopping), stopping))
        {
            if (transfer.Node != node.Instance || runner.HasAbandoned(transfer))
                await scheduler.ScheduleAsync(transfer.Id, stopping);
        }
    }

    private async Task AdoptOperationsAsync(CancellationToken stopping)
    {
        foreach (var operation in await operations.ListOrphansAsync(await ListOthersAsync(stopping), stopping))
        {
            if (operationRunner.Awaits(operation))
                await operationScheduler.ScheduleAsync(operation.Id, stopping);
        }
    }

    private async Task<List<string>> ListOthersAsync(CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        return [.. (await nodes.ListAsync(stopping)).Where(n => n.IsAlive(now) && n.Instance != node.Instance).Select(n => n.Instance)];
    }

    [LoggerMessage(LogLevel.Error, "This node could not report itself or look after transfers and operations; it tries again")]
    private partial void LogBeatFailed(Exception failure);
}
