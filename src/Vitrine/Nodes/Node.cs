namespace Vitrine.Nodes;

/// <summary>A machine that runs this product, as it last reported itself.</summary>
/// <param name="Name">Stays the same over restarts.</param>
/// <param name="Instance">New at every start, so that what an earlier run left behind can be told.</param>
/// <param name="Address">Where its API listens, as a URL.</param>
public sealed record Node(
    string Name, string Instance, string Zone, IReadOnlyList<string> Roles, string Address, string Version,
    DateTimeOffset StartedAt, DateTimeOffset Heartbeat)
{
    /// <summary>A node that has been silent for this long is taken for dead.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public bool IsAlive(DateTimeOffset now) => now - Heartbeat < Patience;
}

/// <summary>Where nodes report themselves.</summary>
public interface INodeCatalogue
{
    /// <summary>Records a sign of life, and the node itself where it is new or was started again.</summary>
    Task SaveAsync(Node node, CancellationToken cancellationToken);

    Task<IReadOnlyList<Node>> ListAsync(CancellationToken cancellationToken);
}
