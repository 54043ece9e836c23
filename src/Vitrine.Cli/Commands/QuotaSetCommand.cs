using System.CommandLine;
using System.Globalization;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class QuotaSetCommand
{
    private const string Default = "default";
    private const string Unlimited = "unlimited";

    public static Command Make(CliTerminal terminal)
    {
        var project = QuotaViews.ProjectArgument();
        var limits = new[]
        {
            LimitOption("images", "How many images it may have."),
            LimitOption("size", "How many MiB they may take, in all stores together."),
            LimitOption("uploading", "How many of them may receive content at once."),
            LimitOption("staged", "How many MiB may be staged, or being imported."),
        };
        var command = new Command("set", "Sets what a project may have.") { project };
        foreach (var limit in limits)
            command.Options.Add(limit);
        command.Validators.Add(result =>
        {
            if (limits.All(l => result.GetResult(l) is null))
                result.AddError("say what to limit, as --images 10");
        });
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var change = new QuotaChange
            {
                Limits = limits.Where(l => run.Get(l) is not null).ToDictionary(l => l.Name.TrimStart('-'), l => Parse(run.Get(l)!)),
            };
            var quotas = await run.Client.ChangeQuotasAsync(run.Get(project), change, cancellationToken);
            run.Print(quotas, LibraryJson.Default.QuotaList, output => QuotaViews.Write(output, quotas));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Option<string?> LimitOption(string name, string description)
    {
        var option = new Option<string?>($"--{name}")
        {
            Description = $"{description} {Unlimited}: as many as there is room for; {Default}: what holds for all.",
            HelpName = $"NUMBER|{Unlimited}|{Default}",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && text is not (Default or Unlimited)
                && !uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                result.AddError($"--{name} takes a number, {Unlimited} or {Default}, not '{text}'");
        });
        return option;
    }

    private static long? Parse(string text) => text switch
    {
        Default => null,
        Unlimited => -1,
        _ => long.Parse(text, CultureInfo.InvariantCulture),
    };
}
