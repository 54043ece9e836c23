using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class NodeListCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var command = new Command("list", "Lists the nodes and whether they are alive; for administrators.");
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var nodes = await run.Client.ListNodesAsync(cancellationToken);
            run.Print(new NodeList(nodes), LibraryJson.Default.NodeList, output => TextTable.Write(
                output,
                ["NAME", "ZONE", "ROLES", "STATE", "ADDRESS", "VERSION", "STARTED", "LAST SEEN"],
                nodes.Select(n => (IReadOnlyList<string>)
                [
                    n.Name, n.Zone, string.Join(',', n.Roles), n.Alive ? "alive" : "silent", n.Address, n.Version, TransferViews.Time(n.StartedAt)!,
                    TransferViews.Time(n.Heartbeat)!,
                ])));
            return ExitCodes.Ok;
        });
        return command;
    }
}
