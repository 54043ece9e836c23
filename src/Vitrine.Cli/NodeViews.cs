using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>Nodes for people.</summary>
internal static class NodeViews
{
    public static Argument<string> Name() => new("NODE") { Description = "The name of the node." };

    public static void Write(TextWriter output, NodeRecord node) => TextTable.WriteFacts(
        output,
        ("name", node.Name),
        ("zone", node.Zone),
        ("roles", string.Join(',', node.Roles)),
        ("state", node.State),
        ("transfers", Transfers(node)),
        ("operations", $"{node.Operations}"),
        ("stores", string.Join(',', node.Stores)),
        ("address", node.Address),
        ("version", node.Version),
        ("cores", $"{node.Cores}"),
        ("memory", Amounts.Bytes(node.Memory)),
        ("started", TransferViews.Time(node.StartedAt)),
        ("last seen", TransferViews.Time(node.Heartbeat)));

    /// <summary>How many run, and may.</summary>
    public static string Transfers(NodeRecord node) => node.TransferLimit is { } most ? $"{node.Transfers}/{most}" : $"{node.Transfers}";
}
