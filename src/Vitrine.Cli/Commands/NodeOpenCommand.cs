using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class NodeOpenCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var name = NodeViews.Name();
        var command = new Command("open", "Has a node that was drained take work again.") { name };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var node = await run.Client.ChangeNodeAsync(run.Get(name), new NodeChange { Mode = "open" }, cancellationToken);
            run.Print(node, LibraryJson.Default.NodeRecord, output => NodeViews.Write(output, node));
            return ExitCodes.Ok;
        });
        return command;
    }
}
