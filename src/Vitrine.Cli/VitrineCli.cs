using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Vitrine.Cli.Commands;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>The command <c>vitrine</c>.</summary>
internal static class VitrineCli
{
    private static readonly TimeSpan SuggestionPatience = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliTerminal terminal, CancellationToken cancellationToken)
    {
        var names = await NamesToSuggestAsync(args, terminal, cancellationToken);
        var parsed = MakeRoot(terminal, names).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var fault in UsageFaults.Of(parsed))
                await terminal.Error.WriteLineAsync($"vitrine: {fault}");
            await terminal.Error.WriteLineAsync($"  Run: {PathOf(parsed.CommandResult.Command)} --help");

            // There it would be a verdict.
            return parsed.CommandResult.Command.Name is InspectCommand.Name ? ExitCodes.Failure : ExitCodes.Usage;
        }

        var configuration = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false };
        return await parsed.InvokeAsync(configuration, cancellationToken);
    }

    /// <summary>Runs a command, and turns what goes wrong into a message and an exit code.</summary>
    internal static void Does(this Command command, CliTerminal terminal, Func<Invocation, CancellationToken, Task<int>> act) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var invocation = new Invocation(terminal, parsed);
            try
            {
                return await act(invocation, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCodes.Interrupted;
            }
            catch (Exception failure) when (failure is LibraryClientException or CliException or IOException or UnauthorizedAccessException)
            {
                return invocation.Report(failure);
            }
        });

    /// <param name="names">What to suggest where something is named.</param>
    private static RootCommand MakeRoot(CliTerminal terminal, IReadOnlyList<string> names)
    {
        var (images, stores) = (new ImageArgument(names), new StoreArgument(names));
        var root = new RootCommand("The command line of the image library.")
        {
            GlobalOptions.Json, GlobalOptions.Quiet, GlobalOptions.Server, GlobalOptions.Authorities,
            LoginCommand.Make(terminal), LogoutCommand.Make(terminal), OpenrcCommand.Make(terminal),
            new Command("image", "Images: import, push, pull, list, show, change, copy, move and delete them.")
            {
                ImageImportCommand.Make(terminal), ImagePushCommand.Make(terminal), ImagePullCommand.Make(terminal, images),
                ImageListCommand.Make(terminal), ImageShowCommand.Make(terminal, images), ImageWatchCommand.Make(terminal, images),
                ImageSetCommand.Make(terminal, images), ImageExportCommand.Make(terminal, images), ImageDeleteCommand.Make(terminal, images),
                ImageEnableCommand.Make(terminal, images, enabled: true), ImageEnableCommand.Make(terminal, images, enabled: false),
                ImageCopyCommand.Make(terminal, images, moves: false), ImageCopyCommand.Make(terminal, images, moves: true),
            },
            new Command("transfer", "Transfers: list, show, watch, cancel, retry and explain them, and read their logs.")
            {
                TransferListCommand.Make(terminal), TransferShowCommand.Make(terminal), TransferWatchCommand.Make(terminal), TransferCancelCommand.Make(terminal),
                TransferRetryCommand.Make(terminal), TransferExplainCommand.Make(terminal), TransferLogCommand.Make(terminal),
            },
            new Command("store", "Stores: where content is kept.")
            {
                StoreListCommand.Make(terminal), StoreAddCommand.Make(terminal), StoreShowCommand.Make(terminal, stores), StoreReportCommand.Make(terminal, stores),
                StoreCollectCommand.Make(terminal, stores), StoreScrubCommand.Make(terminal, stores),
                StoreSetCommand.Make(terminal, stores), StoreSyncCommand.Make(terminal, stores),
                StoreCopyCommand.Make(terminal, stores, moves: false), StoreCopyCommand.Make(terminal, stores, moves: true), StoreCleanupCommand.Make(terminal, stores), StoreRebuildCommand.Make(terminal, stores),
                StoreCheckCommand.Make(terminal, stores),
            },
            new Command("node", "Nodes: the machines that run the library.")
            {
                NodeListCommand.Make(terminal), NodeShowCommand.Make(terminal), NodeDrainCommand.Make(terminal), NodeOpenCommand.Make(terminal),
            },
            new Command("limit", "Limits: how much may happen at once.") { LimitListCommand.Make(terminal), LimitSetCommand.Make(terminal) },
            new Command("quota", "Quotas: how much projects may have.") { QuotaShowCommand.Make(terminal), QuotaSetCommand.Make(terminal) },
            EventsCommand.Make(terminal), InspectCommand.Make(terminal), ConvertCommand.Make(terminal),
            ProbeCommand.Make(terminal), DoctorCommand.Make(terminal), CompletionCommand.Make(terminal),
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new NamedHelp((HelpAction)help.Action!);
        return root;
    }

    /// <summary>A shell that asks for suggestions waits for them, so names of images or stores are fetched only then, and not for long.</summary>
    private static async Task<IReadOnlyList<string>> NamesToSuggestAsync(
        IReadOnlyList<string> args, CliTerminal terminal, CancellationToken cancellationToken)
    {
        if (args.Count == 0 || !args[0].StartsWith("[suggest", StringComparison.Ordinal))
            return [];

        using var patience = new CancellationTokenSource(SuggestionPatience, terminal.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var settings = SettingsFile.Find(terminal.Variable).Load();
            using var client = Session.Open(Session.AddressOf(null, terminal, settings), authorities: null, terminal, settings);
            if (args is [_, var line, ..] && line.TrimStart().StartsWith("vitrine store ", StringComparison.Ordinal))
                return [.. (await client.ListStoresAsync(either.Token)).Select(s => s.Name)];

            var names = new List<string>();
            await foreach (var image in client.ListImagesAsync([new("limit", "200")], either.Token).Take(200))
                names.AddRange(image.Name is { } name ? [name, image.Id] : [image.Id]);
            return names;
        }
        catch (Exception failure) when (failure is LibraryClientException or CliException or OperationCanceledException)
        {
            // Suggestions are a convenience; what is wrong is said when the command runs.
            return [];
        }
    }

    private static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : "vitrine";
}

/// <summary>An image by its id or by its unique name; shells complete both.</summary>
internal sealed class ImageArgument(IReadOnlyList<string> suggestions)
{
    public Argument<string> Make()
    {
        var argument = new Argument<string>("IMAGE") { Description = "The id of the image, or its name where no other has it." };
        argument.CompletionSources.Add(suggestions.Completing);
        return argument;
    }

    public Argument<string[]> MakeSeveral()
    {
        var argument = new Argument<string[]>("IMAGE")
        {
            Description = "The ids of the images, or names where no other has them.",
            Arity = ArgumentArity.OneOrMore,
        };
        argument.CompletionSources.Add(suggestions.Completing);
        return argument;
    }
}

/// <summary>A store by its name; shells complete it.</summary>
internal sealed class StoreArgument(IReadOnlyList<string> suggestions)
{
    public Argument<string> Make(string name = "STORE")
    {
        var argument = new Argument<string>(name) { Description = "The name of the store." };
        argument.CompletionSources.Add(suggestions.Completing);
        return argument;
    }
}

internal static class Suggestions
{
    /// <summary>Those that begin with what is typed so far.</summary>
    public static IEnumerable<CompletionItem> Completing(this IReadOnlyList<string> suggestions, CompletionContext context) =>
        suggestions.Where(s => s.StartsWith(context.WordToComplete, StringComparison.Ordinal)).Select(s => new CompletionItem(s));
}
