using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class TransferLogCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var id = new Argument<string>("TRANSFER") { Description = "The id of the transfer." };
        var command = new Command("log", "Says what happened to a transfer on all nodes, in its order.") { id };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var log = await run.Client.GetTransferLogAsync(run.Get(id), cancellationToken);
            run.Print(log, LibraryJson.Default.TransferLogRecord, output => Write(output, log));
            run.Say($"What is older than {log.KeptDays} days is forgotten.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, TransferLogRecord log) => TextTable.Write(
        output,
        ["TIME", "NODE", "STATE", "STEP", "ATTEMPT", "BYTES", "FAILURE"],
        log.Items.Select(e => (IReadOnlyList<string>)
        [
            TransferViews.Time(e.At)!, e.Node ?? "", e.State, e.Step ?? "", $"{e.Attempt}", $"{e.Moved}", e.Failure is null ? "" : $"{e.Failure}: {e.Cause}",
        ]));
}
