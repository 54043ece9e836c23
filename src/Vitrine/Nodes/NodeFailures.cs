namespace Vitrine.Nodes;

public sealed class NodeNotFoundException(string name) : LibraryException($"There is no node '{name}'.")
{
    public override string Code => "node-not-found";

    public override string Remedy => "List the nodes to see their names.";
}

/// <summary>Operators want the node to take nothing new.</summary>
public sealed class NodeDrainingException(string node) : LibraryException($"Node {node} is being drained and takes no content.")
{
    /// <summary>How long a client should wait before it tries the same address again, behind which another node may be by then.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    public override string Code => "node-draining";

    public override string Remedy => "Send to another node: an upload goes on there where it is.";
}
