using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class LimitSetCommand
{
    public const string Unlimited = "none";

    private const string AsConfigured = "default";

    public static Command Make(CliTerminal terminal)
    {
        var settings = new Argument<string[]>("NAME=VALUE")
        {
            Description = $"A limit and its number, {Unlimited}, or {AsConfigured} for what is configured; several are changed together.",
            Arity = ArgumentArity.OneOrMore,
        };
        settings.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => ValueOf(t.Value) is null))
                result.AddError($"'{token.Value}' is no NAME=VALUE with a number, {Unlimited} or {AsConfigured}");
        });
        var command = new Command("set", "Changes limits for all nodes while the library runs; for administrators.") { settings };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var changes = new JsonObject();
            foreach (var setting in run.Get(settings))
                changes[setting[..setting.IndexOf('=', StringComparison.Ordinal)]] = ValueOf(setting)!();

            var limits = await run.Client.ChangeLimitsAsync(changes, cancellationToken);
            run.Print(new LimitList(limits), LibraryJson.Default.LimitList, output => LimitListCommand.Write(output, limits));
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <returns>What makes the value; null where the text is none.</returns>
    private static Func<JsonNode?>? ValueOf(string setting) => setting.Split('=', 2) switch
    {
        [{ Length: > 0 }, AsConfigured] => () => null,
        [{ Length: > 0 }, Unlimited] => () => JsonValue.Create(Unlimited),
        [{ Length: > 0 }, var text] when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => () => JsonValue.Create(number),
        _ => null,
    };
}
