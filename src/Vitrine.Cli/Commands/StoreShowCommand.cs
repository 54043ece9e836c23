using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreShowCommand
{
    private const int OperationsShown = 5;

    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var command = new Command("show", "Shows a store and what was done to it last.") { name };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var store = await run.Client.GetStoreAsync(run.Get(name), cancellationToken);
            var operations = await run.Client.ListStoreOperationsAsync(run.Get(name), cancellationToken);
            run.Print(store, LibraryJson.Default.StoreRecord, output => StoreViews.Write(output, store, [.. operations.Take(OperationsShown)]));
            return ExitCodes.Ok;
        });
        return command;
    }
}
