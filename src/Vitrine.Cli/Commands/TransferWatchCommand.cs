using System.CommandLine;

namespace Vitrine.Cli.Commands;

internal static class TransferWatchCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var id = new Argument<string>("TRANSFER") { Description = "The id of the transfer." };
        var command = new Command("watch", "Follows a transfer to its end.") { id };
        command.Does(terminal, (run, cancellationToken) => TransferWatch.FollowAsync(run, run.Get(id), run.Get(id), cancellationToken));
        return command;
    }
}
