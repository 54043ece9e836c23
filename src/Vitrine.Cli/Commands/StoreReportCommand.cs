using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreReportCommand
{
    private const string ByImage = "image";
    private const string ByProject = "project";

    public static Command Make(CliTerminal terminal, StoreArgument stores)
    {
        var name = stores.Make();
        name.Arity = ArgumentArity.ZeroOrOne;
        name.Description = "The name of the store; all stores where none is named.";
        var by = new Option<string>("--by") { Description = "A line for each image or for each project.", DefaultValueFactory = _ => ByImage, HelpName = "image|project" };
        by.AcceptOnlyFromAmong(ByImage, ByProject);
        var command = new Command("report", "Says what a store keeps and for whom, and how much is saved by keeping it once.") { name, by };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            IReadOnlyList<string> names = run.Get(name) is { Length: > 0 } one
                ? [one]
                : [.. (await run.Client.ListStoresAsync(cancellationToken)).Select(s => s.Name)];
            var exitCode = ExitCodes.Ok;
            foreach (var store in names)
            {
                try
                {
                    var report = await run.Client.GetStoreReportAsync(store, cancellationToken);
                    run.Print(report, LibraryJson.Default.StoreReportRecord, output => StoreViews.Write(output, report, byProject: run.Get(by) == ByProject));
                }
                catch (LibraryClientException failure) when (names.Count > 1 && failure.Status is not null)
                {
                    // What the others keep holds without this one.
                    exitCode = run.Report(failure);
                }
            }

            return exitCode;
        });
        return command;
    }
}
