using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreRebuildCommand
{
    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var noWait = WaitOptions.NoWait();
        var command = new Command("rebuild", "Makes a lost catalogue know again the images that a store has.") { name, noWait };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var begun = await run.Client.StartStoreOperationAsync(run.Get(name), new StoreOperationRequest { Kind = "rebuild" }, cancellationToken);
            return await StoreOperationWatch.FollowAsync(run, begun, run.Get(noWait), cancellationToken);
        });
        return command;
    }
}
