using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreCleanupCommand
{
    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var confirm = new Option<bool>("--confirm") { Description = "Remove it for good. Without, what would be removed is listed." };
        var noWait = WaitOptions.NoWait();
        var command = new Command(
            "cleanup", "Removes what images left in a store when they moved to others, once their content there was read and found sound.") { name, confirm, noWait };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            if (!run.Get(confirm))
                return await ListAsync(run, run.Get(name), cancellationToken);

            var begun = await run.Client.StartStoreOperationAsync(
                run.Get(name), new StoreOperationRequest { Kind = "cleanup", Confirm = true }, cancellationToken);
            return await StoreOperationWatch.FollowAsync(run, begun, run.Get(noWait), cancellationToken);
        });
        return command;
    }

    private static async Task<int> ListAsync(Invocation run, string store, CancellationToken cancellationToken)
    {
        var retired = await run.Client.ListRetiredReplicasAsync(store, cancellationToken);
        run.Print(new RetiredReplicaList(retired), LibraryJson.Default.RetiredReplicaList, output => TextTable.Write(
            output,
            ["IMAGE", "NAME", "SIZE", "MOVED"],
            retired.Select(r => (IReadOnlyList<string>)[r.Image, r.Name ?? "", Amounts.Bytes(r.Size), TransferViews.Time(r.RetiredAt)!])));
        if (retired.Count > 0)
            run.Say($"{Amounts.Bytes(retired.Sum(r => r.Size))} are left behind. To remove them for good: vitrine store cleanup {store} --confirm");
        return ExitCodes.Ok;
    }
}
