using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreSyncCommand
{
    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        name.Description = "The name of the store that receives.";
        var from = new Option<string[]>("--from")
        {
            Description = "A store whose images are copied; more than once for several.",
            HelpName = "NAME",
            Required = true,
        };
        var move = new Option<bool>("--move") { Description = "Empty those stores: what they have stays only until they are cleaned up." };
        var noWait = WaitOptions.NoWait();
        var command = new Command("sync", "Copies into a store what others have and it has not.") { name, from, move, noWait };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var request = new StoreOperationRequest { Kind = "sync", Sources = run.Get(from), Move = run.Get(move) };
            var begun = await run.Client.StartStoreOperationAsync(run.Get(name), request, cancellationToken);
            return await StoreOperationWatch.FollowAsync(run, begun, run.Get(noWait), cancellationToken);
        });
        return command;
    }
}
