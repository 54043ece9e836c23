using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class NodeDrainCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var name = NodeViews.Name();
        var wait = new Option<bool>("--wait") { Description = "Waits until nothing runs there any more." };
        var command = new Command("drain", "Has a node take nothing new and give back what can go on elsewhere, over restarts too.") { name, wait };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var node = await run.Client.ChangeNodeAsync(run.Get(name), new NodeChange { Mode = "draining" }, cancellationToken);
            if (node.Warning is { } warning)
                await terminal.Error.WriteLineAsync($"vitrine: {warning}");
            if (run.Get(wait))
                node = await run.Client.WatchNodeAsync(run.Get(name), cancellationToken).LastAsync(cancellationToken);

            run.Print(node, LibraryJson.Default.NodeRecord, output => NodeViews.Write(output, node));
            return ExitCodes.Ok;
        });
        return command;
    }
}
