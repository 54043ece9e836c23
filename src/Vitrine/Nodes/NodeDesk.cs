using Vitrine.Access;
using Vitrine.Limits;

namespace Vitrine.Nodes;

/// <summary>What operators may ask of nodes: to be shown, drained and opened again.</summary>
public sealed class NodeDesk(INodeCatalogue nodes, LimitDesk limits, TimeProvider time)
{
    public async Task<IReadOnlyList<NodeStanding>> ListAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("look at nodes");
        var (now, loads, allowed) = (time.GetUtcNow(), await nodes.MeasureLoadAsync(cancellationToken), await limits.ReadAsync(cancellationToken));
        return [.. (await nodes.ListAsync(cancellationToken)).Select(n => NodeStanding.Of(n, loads.GetValueOrDefault(n.Instance), allowed, now))];
    }

    /// <exception cref="NodeNotFoundException">No node has the name.</exception>
    public async Task<NodeStanding> GetAsync(string name, Caller caller, CancellationToken cancellationToken) =>
        (await ListAsync(caller, cancellationToken)).FirstOrDefault(n => n.Node.Name == name) ?? throw new NodeNotFoundException(name);

    /// <summary>Has a node take nothing new, or opens it again. It obeys within a heartbeat, and after a restart too.</summary>
    /// <exception cref="NodeNotFoundException">No node has the name.</exception>
    public async Task<NodeStanding> SetModeAsync(string name, NodeMode mode, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("drain or open a node");
        if (!await nodes.SetModeAsync(name, mode, cancellationToken))
            throw new NodeNotFoundException(name);

        var all = await ListAsync(caller, cancellationToken);
        var changed = all.First(n => n.Node.Name == name);
        return mode is NodeMode.Draining ? changed with { Warning = WarningFor(changed.Node, all) } : changed;
    }

    private string? WarningFor(Node drained, IReadOnlyList<NodeStanding> all)
    {
        var others = all.Select(n => n.Node).Where(n => n.TakesWork(time.GetUtcNow())).ToList();
        if (others.All(n => n.Zone != drained.Zone))
            return $"No other node of the zone '{drained.Zone}' takes work: its transfers wait until one does.";

        var left = drained.Stores.Except(others.SelectMany(n => n.Stores)).ToList();
        return left.Count > 0 ? $"No other node that takes work reaches {string.Join(", ", left)}: transfers of these stores wait until one does." : null;
    }
}

/// <summary>A node, and how it is at this moment.</summary>
/// <param name="TransferLimit">How many imports and copies it may run at once; null for as many as there are.</param>
/// <param name="Warning">What the operator should know who changed it; null where there is nothing.</param>
public sealed record NodeStanding(Node Node, NodeState State, NodeLoad Load, long? TransferLimit, string? Warning = null)
{
    internal static NodeStanding Of(Node node, NodeLoad load, LibraryLimits limits, DateTimeOffset now)
    {
        var state = !node.IsAlive(now) ? NodeState.Silent
            : node.Mode is NodeMode.Open ? NodeState.Up
            : load.IsIdle && node.Obeys is NodeMode.Draining ? NodeState.Drained : NodeState.Draining;
        return new NodeStanding(node, state, load, limits[LimitName.TransfersPerNode]);
    }
}
