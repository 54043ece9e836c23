using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class TransferShowCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var id = new Argument<string>("TRANSFER") { Description = "The id of the transfer." };
        var command = new Command("show", "Shows a transfer.") { id };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var transfer = await run.Client.GetTransferAsync(run.Get(id), cancellationToken);
            run.Print(transfer, LibraryJson.Default.TransferRecord, output => TransferViews.Write(output, transfer));
            return ExitCodes.Ok;
        });
        return command;
    }
}
