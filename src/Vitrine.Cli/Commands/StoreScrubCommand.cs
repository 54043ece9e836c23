using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreScrubCommand
{
    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        var rate = new Option<long?>("--rate")
        {
            Description = "How many bytes a second are read at most, as 50M.",
            HelpName = "BYTES",
            CustomParser = result =>
            {
                if (Amounts.TryParse(result.Tokens[0].Value, out var bytes))
                    return bytes;

                result.AddError($"'{result.Tokens[0].Value}' is no number of bytes; write it as 50M, with K, M or G for 1024, 1024² or 1024³.");
                return null;
            },
        };
        var noWait = WaitOptions.NoWait();
        var command = new Command("scrub", "Reads all of a store and checks it. Ends with 1 where something is damaged, and names the images concerned.") { name, rate, noWait };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var request = new StoreOperationRequest { Kind = "scrub", Rate = run.Get(rate) };
            var begun = await run.Client.StartStoreOperationAsync(run.Get(name), request, cancellationToken);
            return await StoreOperationWatch.FollowAsync(run, begun, run.Get(noWait), cancellationToken);
        });
        return command;
    }
}
