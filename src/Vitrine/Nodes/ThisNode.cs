namespace Vitrine.Nodes;

/// <summary>This run of this machine, as other nodes and users know it.</summary>
/// <param name="Name">Stays the same over restarts.</param>
/// <param name="Instance">New at every start.</param>
public sealed record ThisNode(string Name, string Instance, string Zone)
{
    public IReadOnlyList<NodeRole> Roles { get; init; } = [NodeRole.Api, NodeRole.Transfer];
}
