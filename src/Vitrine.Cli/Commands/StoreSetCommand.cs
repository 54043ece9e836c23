using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreSetCommand
{
    private const string None = "none";

    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var mode = new Option<string>("--mode")
        {
            Description = "open; readonly: takes no new content; draining: nor is it read from where another store has what is wanted.",
            HelpName = "open|readonly|draining",
        };
        mode.AcceptOnlyFromAmong("open", "readonly", "draining");
        var syncAddress = new Option<string>("--sync-address")
        {
            Description = "By which copies between stores reach the server of a bucket, from the next one on; none for the address that all else takes.",
            HelpName = $"URL|{None}",
        };
        var targets = new Option<string[]>("--replicate-to")
        {
            Description = "A store that gets by itself all that this one has and will have; may be given more than once, in the place of those there are. none ends it.",
            HelpName = $"NAME|{None}",
        };
        var command = new Command("set", "Opens a store to new content or closes it, has copies take another network, or has others get all that it has.")
        {
            name, mode, syncAddress, targets,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(mode) is null && result.GetResult(syncAddress) is null && result.GetResult(targets) is null)
                result.AddError("Nothing says what to change: name --mode, --sync-address or --replicate-to.");
            if (result.GetValue(targets) is { Length: > 1 } names && names.Contains(None))
                result.AddError($"--replicate-to {None} excludes others.");
        });
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var change = new StoreChange
            {
                Mode = run.Get(mode),
                SyncAddress = run.Get(syncAddress) is None ? "" : run.Get(syncAddress),
                ReplicatesTo = run.Has(targets) ? run.Get(targets) is [None] ? [] : run.Get(targets) : null,
            };
            var store = await run.Client.ChangeStoreAsync(run.Get(name), change, cancellationToken);
            run.Print(store, LibraryJson.Default.StoreRecord, output => StoreViews.Write(output, store, []));
            return ExitCodes.Ok;
        });
        return command;
    }
}
