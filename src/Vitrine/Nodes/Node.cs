namespace Vitrine.Nodes;

/// <summary>A machine that runs this product, as it last reported itself.</summary>
/// <param name="Name">Stays the same over restarts.</param>
/// <param name="Instance">New at every start, so that what an earlier run left behind can be told.</param>
/// <param name="Address">Where its API listens, as a URL.</param>
public sealed record Node(
    string Name, string Instance, string Zone, IReadOnlyList<NodeRole> Roles, string Address, string Version,
    DateTimeOffset StartedAt, DateTimeOffset Heartbeat)
{
    /// <summary>A node that has been silent for this long is taken for dead.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>The names of the stores that it reaches.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    public NodeCapacity Capacity { get; init; }

    /// <summary>What operators let it do: the catalogue knows, and no report changes it.</summary>
    public NodeMode Mode { get; init; }

    /// <summary>The mode that it goes by already: it learns of a change at its next heartbeat.</summary>
    public NodeMode Obeys { get; init; }

    public bool IsAlive(DateTimeOffset now) => now - Heartbeat < Patience;

    /// <summary>It begins transfers and operations of stores.</summary>
    public bool TakesWork(DateTimeOffset now) => IsAlive(now) && Mode is NodeMode.Open && Roles.Contains(NodeRole.Transfer);
}

/// <summary>What a node is there for.</summary>
public enum NodeRole
{
    /// <summary>Answers clients.</summary>
    Api,

    /// <summary>Runs imports, copies and operations of stores, and takes the bytes of uploads.</summary>
    Transfer,
}

public enum NodeMode
{
    Open,

    /// <summary>Takes nothing new, and gives back what can go on elsewhere.</summary>
    Draining,
}

/// <summary>How a node is, for people.</summary>
public enum NodeState
{
    Up,

    /// <summary>It is to take nothing new, and still works on something.</summary>
    Draining,

    /// <summary>It can be switched off without anybody noticing.</summary>
    Drained,

    /// <summary>It gave no sign of life for longer than <see cref="Node.Patience"/>.</summary>
    Silent,
}

/// <param name="Cores">Processors that the process may use.</param>
/// <param name="Memory">Bytes of memory that the process may use.</param>
public readonly record struct NodeCapacity(int Cores, long Memory);

/// <summary>What a run of a node works on, as the catalogue counts it.</summary>
/// <param name="Transfers">Those of every kind.</param>
/// <param name="Operations">Those of stores.</param>
public readonly record struct NodeLoad(int Transfers, int Operations)
{
    public bool IsIdle => this == default;
}

/// <summary>Where nodes report themselves.</summary>
public interface INodeCatalogue
{
    /// <summary>Records a sign of life, and the node itself where it is new or was started again. Its mode stays.</summary>
    Task SaveAsync(Node node, CancellationToken cancellationToken);

    Task<IReadOnlyList<Node>> ListAsync(CancellationToken cancellationToken);

    /// <returns>False where no node has the name.</returns>
    Task<bool> SetModeAsync(string name, NodeMode mode, CancellationToken cancellationToken);

    /// <summary>What is in work, by the run (<see cref="Node.Instance"/>) that the catalogue gives it to.</summary>
    Task<IReadOnlyDictionary<string, NodeLoad>> MeasureLoadAsync(CancellationToken cancellationToken);
}
