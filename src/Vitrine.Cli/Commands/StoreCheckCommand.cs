using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreCheckCommand
{
    /// <summary>What the library calls such an operation.</summary>
    public const string Kind = "check";

    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var noWait = WaitOptions.NoWait();
        var command = new Command(Kind, "Tries a content of its own in a store that is in use. Ends with 1 where the store does otherwise than it should, and says what.") { name, noWait };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var begun = await run.Client.StartStoreOperationAsync(run.Get(name), new StoreOperationRequest { Kind = Kind }, cancellationToken);
            return await StoreOperationWatch.FollowAsync(run, begun, run.Get(noWait), cancellationToken);
        });
        return command;
    }
}
