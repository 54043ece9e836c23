using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class NodeShowCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var name = NodeViews.Name();
        var command = new Command("show", "Shows a node; for administrators.") { name };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var node = await run.Client.GetNodeAsync(run.Get(name), cancellationToken);
            run.Print(node, LibraryJson.Default.NodeRecord, output => NodeViews.Write(output, node));
            return ExitCodes.Ok;
        });
        return command;
    }
}
