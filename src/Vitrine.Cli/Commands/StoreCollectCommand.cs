using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreCollectCommand
{
    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var noWait = WaitOptions.NoWait();
        var command = new Command("collect", "Frees what no image needs any more. What it finds is freed by a later run, after the store's grace time.") { name, noWait };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var begun = await run.Client.StartStoreOperationAsync(run.Get(name), new StoreOperationRequest { Kind = "collect" }, cancellationToken);
            return await StoreOperationWatch.FollowAsync(run, begun, run.Get(noWait), cancellationToken);
        });
        return command;
    }
}
