using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Why transfers wait, as things stand at one moment. It is told when somebody asks, and kept nowhere.</summary>
public sealed class TransferOutlook(
    ITransferCatalogue transfers, IReplicaCatalogue replicas, INodeCatalogue nodes, LimitDesk limits, TimeProvider time)
{
    /// <returns>By transfer; those that wait for nothing but their turn are not in it.</returns>
    public async Task<IReadOnlyDictionary<TransferId, TransferWait>> FindWaitsAsync(
        IReadOnlyCollection<Transfer> asked, CancellationToken cancellationToken)
    {
        var waits = new Dictionary<TransferId, TransferWait>();
        var queued = asked.Where(t => t is { State: TransferState.Queued, IsLimited: true }).ToList();
        if (queued.Count == 0)
            return waits;

        var workers = (await nodes.ListAsync(cancellationToken)).Where(n => n.TakesWork(time.GetUtcNow())).ToList();
        var room = new TransferRoom(await limits.ReadAsync(cancellationToken), await transfers.ListRunningAsync(cancellationToken));
        foreach (var transfer in queued)
        {
            IReadOnlyList<string> sources = transfer switch
            {
                { Kind: TransferKind.Copy } => await ReplicaReaders.ListSourcesAsync(transfer, replicas, cancellationToken),
                { Kind: TransferKind.Import, SourceStore: { } staged } => [staged],
                _ => [],
            };
            if (WaitOf(transfer, workers, sources, room) is { } wait)
                waits[transfer.Id] = wait;
        }

        return waits;
    }

    /// <param name="workers">The nodes that take work.</param>
    /// <param name="sources">The stores that a copy, or what was staged, can be read from.</param>
    internal static TransferWait? WaitOf(Transfer transfer, IReadOnlyList<Node> workers, IReadOnlyList<string> sources, TransferRoom room)
    {
        if (workers.Count == 0)
            return new TransferWait("no-node", "No living node takes work.", "Start a node with the role transfer, or open one that is drained.");

        var reaching = workers.Where(n => n.Stores.Contains(transfer.Store)).ToList();
        if (reaching.Count == 0)
            return Unreached($"No living node reaches the store '{transfer.Store}'.");

        if (sources.Count > 0)
            reaching = [.. reaching.Where(n => sources.Any(n.Stores.Contains))];
        if (reaching.Count == 0)
            return Unreached($"No living node reaches the store '{transfer.Store}' and one that has the content: {string.Join(", ", sources)}.");

        var reached = reaching.Select(n => room.ReachedBy(transfer, n.Instance)).ToList();
        return reached.Contains(null) ? null : Limited(reached[0]!);
    }

    private static TransferWait Unreached(string cause) =>
        new("store-unreached", cause, "Start a node that reaches the stores, or look at the log of one that did; the list of nodes says which do.");

    private static TransferWait Limited(ReachedLimit reached) => new(
        reached.Limit.Spelled(),
        $"The limit {reached.Limit.Spelled()} is {reached.Most} ({reached.Limit.Meaning()}), and {reached.Running} run.",
        "Wait until one of them ends, or ask the operator to raise the limit.");
}

/// <summary>What keeps a transfer from beginning.</summary>
/// <param name="Code">The name of a limit, <c>store-unreached</c> or <c>no-node</c>.</param>
/// <param name="Cause">A sentence.</param>
/// <param name="Remedy">What can be done about it.</param>
public sealed record TransferWait(string Code, string Cause, string Remedy);
