using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>Reports this node alive, obeys its operators, answers what they ask of all nodes, and sees to transfers and operations of stores that nobody works on.</summary>
/// <remarks>
/// The catalogue says what is to be done. A reminder that a crash lost, a transfer whose node died, an upload whose client
/// went away: all are found here within a beat, whatever lost them.
/// </remarks>
internal sealed partial class NodeService(
    ClusterOptions options, ThisNode node, NodeDuty duty, StoreRegistry stores, AddedStores addedStores, INodeCatalogue nodes, LimitDesk limits, IncomingBandwidth bandwidth,
    TransferQueue queue, TransferRunner runner, NodeReminders reminders,
    IStoreOperationCatalogue operations, StoreOperationRunner operationRunner,
    ImageUploads uploads, Examinations examinations, TimeProvider time, ILogger<NodeService> logger) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(4);

    private readonly DateTimeOffset _startedAt = time.Now();

    /// <summary>The stores whose regular jobs this node has seen to.</summary>
    private readonly HashSet<string> _served = new(options.Stores, StringComparer.Ordinal);

    /// <summary>The first beat is part of the start: when the server is ready, the node is known, and knows what it may do.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReportAsync(cancellationToken);
        await ObeyAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>To look after transfers may take long; nobody may take the node for dead meanwhile.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(ReportAsync, stoppingToken),
        RepeatAsync(ObeyAsync, stoppingToken),
        AdoptTransfersAsync(stoppingToken),
        options.Engine is JobEngine.Clustered && node.Roles.Contains(NodeRole.Transfer) ? RepeatAsync(queue.FollowAsync, stoppingToken) : Task.CompletedTask,
        RepeatAsync(AdoptOperationsAsync, stoppingToken),
        RepeatAsync(AdoptStoresAsync, stoppingToken),
        RepeatAsync(TidyUploadsAsync, stoppingToken),
        RepeatAsync(examinations.AnswerAsync, stoppingToken));

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

    private Task ReportAsync(CancellationToken stopping)
    {
        var report = new Node(node.Name, node.Instance, node.Zone, node.Roles, options.Address, options.Version, _startedAt, time.Now())
        {
            Stores = [.. stores.All.Select(s => s.Name)],
            Capacity = new NodeCapacity(Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
            Obeys = duty.IsDraining ? NodeMode.Draining : NodeMode.Open,
        };
        return nodes.SaveAsync(report, stopping);
    }

    /// <summary>Does as the operators want it since the last beat.</summary>
    private async Task ObeyAsync(CancellationToken stopping)
    {
        bandwidth.Limit((await limits.ReadAsync(stopping))[LimitName.BytesPerSecond]);
        var mode = (await nodes.ListAsync(stopping)).FirstOrDefault(n => n.Name == node.Name)?.Mode ?? NodeMode.Open;
        if (mode is NodeMode.Draining == duty.IsDraining)
            return;

        // No reminder of anything new may come here before what runs is given back, or it might be told to this node again.
        await reminders.AcceptAsync(isWanted: mode is NodeMode.Open, stopping);
        duty.Obey(mode);
        await ReportAsync(stopping);
        queue.LookAgain();
        LogMode(mode.Word());
    }

    private async Task AdoptTransfersAsync(CancellationToken stopping)
    {
        while (true)
        {
            await TryAsync(RemindOfTransfersAsync, stopping);
            await queue.WaitAsync(Beat, stopping);
        }
    }

    private async Task RemindOfTransfersAsync(CancellationToken stopping)
    {
        if (!duty.TakesWork)
            await runner.GiveBackAbandonedAsync(stopping);
        foreach (var transfer in await queue.ListDueAsync(stopping))
            await reminders.RemindHereAsync(transfer.Id, stopping);
    }

    private async Task AdoptOperationsAsync(CancellationToken stopping)
    {
        foreach (var operation in await operations.ListOrphansAsync(await ListOthersAsync(stopping), stopping))
        {
            if (operationRunner.Awaits(operation))
                await reminders.RemindHereAsync(operation.Id, stopping);
        }
    }

    /// <summary>Opens the stores that were added since the last beat, and does for them what is done for those of the configuration.</summary>
    private async Task AdoptStoresAsync(CancellationToken stopping)
    {
        await addedStores.LookAsync(stopping);
        var added = stores.All.Select(s => s.Name).Where(name => !_served.Contains(name)).ToList();
        if (added.Count == 0)
            return;

        await reminders.ServeAsync(added, isWanted: duty.TakesWork, stopping);
        await ReportAsync(stopping);
        queue.LookAgain();
        _served.UnionWith(added);
    }

    private async Task TidyUploadsAsync(CancellationToken stopping)
    {
        if (duty.IsDraining)
            await uploads.ReleaseAsync(stopping);
        await uploads.TidyAsync(stopping);
    }

    private async Task<List<string>> ListOthersAsync(CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        return [.. (await nodes.ListAsync(stopping)).Where(n => n.IsAlive(now) && n.Instance != node.Instance).Select(n => n.Instance)];
    }

    [LoggerMessage(LogLevel.Error, "This node could not report itself or look after transfers and operations; it tries again")]
    private partial void LogBeatFailed(Exception failure);

    [LoggerMessage(LogLevel.Information, "This node is {Mode} from now on")]
    private partial void LogMode(string mode);
}
