using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class TransferRetryCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var id = new Argument<string>("TRANSFER") { Description = "The id of the transfer." };
        var command = new Command("retry", "Tries an import again that failed or was cancelled.") { id };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var transfer = await run.Client.RetryTransferAsync(run.Get(id), cancellationToken);
            run.Print(transfer, LibraryJson.Default.TransferRecord, output => TransferViews.Write(output, transfer));
            return ExitCodes.Ok;
        });
        return command;
    }
}
