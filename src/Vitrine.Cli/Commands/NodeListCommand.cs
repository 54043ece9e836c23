using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class NodeListCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var command = new Command("list", "Lists the nodes, how they are and what they work on; for administrators.");
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var nodes = await run.Client.ListNodesAsync(cancellationToken);
            run.Print(new NodeList(nodes), LibraryJson.Default.NodeList, output => TextTable.Write(
                output,
                ["NAME", "ZONE", "ROLES", "STATE", "TRANSFERS", "STORES", "ADDRESS", "VERSION", "LAST SEEN"],
                nodes.Select(n => (IReadOnlyList<string>)
                [
                    n.Name, n.Zone, string.Join(',', n.Roles), n.State, NodeViews.Transfers(n), string.Join(',', n.Stores), n.Address, n.Version,
                    TransferViews.Time(n.Heartbeat)!,
                ])));
            return ExitCodes.Ok;
        });
        return command;
    }
}
