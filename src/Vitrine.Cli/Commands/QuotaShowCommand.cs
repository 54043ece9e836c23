using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class QuotaShowCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var project = QuotaViews.ProjectArgument();
        var command = new Command("show", "Shows what a project may have, and how much of it is used.") { project };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var quotas = await run.Client.GetQuotasAsync(run.Get(project), cancellationToken);
            run.Print(quotas, LibraryJson.Default.QuotaList, output => QuotaViews.Write(output, quotas));
            return ExitCodes.Ok;
        });
        return command;
    }
}
