using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreSetCommand
{
    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var mode = new Option<string>("--mode")
        {
            Description = "open; readonly: takes no new content; draining: nor is it read from where another store has what is wanted.",
            HelpName = "open|readonly|draining",
            Required = true,
        };
        mode.AcceptOnlyFromAmong("open", "readonly", "draining");
        var command = new Command("set", "Opens a store to new content, or closes it.") { name, mode };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var store = await run.Client.ChangeStoreAsync(run.Get(name), new StoreChange { Mode = run.Get(mode) }, cancellationToken);
            run.Print(store, LibraryJson.Default.StoreRecord, output => StoreViews.Write(output, store, []));
            return ExitCodes.Ok;
        });
        return command;
    }
}
