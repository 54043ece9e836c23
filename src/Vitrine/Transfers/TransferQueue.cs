using Vitrine.Events;
using Vitrine.Limits;
using Vitrine.Nodes;

namespace Vitrine.Transfers;

/// <summary>What this node is to begin next: of the transfers that nobody living works on, those whose stores it reaches and that limits let through.</summary>
public sealed class TransferQueue(
    ITransferCatalogue transfers, INodeCatalogue nodes, LimitDesk limits, TransferRunner runner, EventFeed events, NodeDuty duty, ThisNode node, TimeProvider time) : IDisposable
{
    /// <summary>However often a transfer ends, the queue is not read more often than this.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _changed = new(0);

    /// <summary>Says that there may be room, or work, that was not there before.</summary>
    public void LookAgain()
    {
        if (_changed.CurrentCount == 0)
            _changed.Release();
    }

    /// <summary>Looks again whenever a transfer changes its state, on whichever node, until the events come faster than they can be followed.</summary>
    /// <remarks>A reminder that came to a node without room for it is lost; this is how a node that has room learns of the transfer at once.</remarks>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        await using var changes = await events.SubscribeAsync(wantsProgress: false, cancellationToken);
        LookAgain();
        await foreach (var change in changes.Items.ReadAllAsync(cancellationToken))
        {
            if (change.Event?.Transfer is not null)
                LookAgain();
        }
    }

    /// <summary>Waits until it is time to look: at once after <see cref="LookAgain"/>, or when the patience is at its end.</summary>
    public async Task WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        await Task.Delay(Pause, time, cancellationToken);
        await _changed.WaitAsync(patience, cancellationToken);
    }

    /// <summary>The oldest first, as many as may begin now.</summary>
    public async Task<IReadOnlyList<Transfer>> ListDueAsync(CancellationToken cancellationToken)
    {
        if (!duty.TakesWork)
            return [];

        var now = time.GetUtcNow();
        var others = (await nodes.ListAsync(cancellationToken)).Where(n => n.IsAlive(now) && n.Instance != node.Instance).Select(n => n.Instance);
        List<Transfer> orphans = [.. (await transfers.ListOrphansAsync([.. others], cancellationToken)).Where(t => t.Node != node.Instance || runner.HasAbandoned(t))];

        // What a run left behind that is gone would else keep itself, and the rest of what it left, from going on.
        var left = orphans.Select(t => t.Id).ToHashSet();
        var running = (await transfers.ListRunningAsync(cancellationToken)).Where(t => !left.Contains(t.Id));
        var room = new TransferRoom(await limits.ReadAsync(cancellationToken), running);
        var due = new List<Transfer>();
        foreach (var transfer in orphans)
        {
            if (room.ReachedBy(transfer, node.Instance) is not null || !await runner.ReachesAsync(transfer, cancellationToken))
                continue;

            room.Add(transfer, node.Instance);
            due.Add(transfer);
        }

        return due;
    }

    public void Dispose() => _changed.Dispose();
}
