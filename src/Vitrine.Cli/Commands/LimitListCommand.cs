using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class LimitListCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var command = new Command("list", "Lists how much may happen at once; for administrators.");
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var limits = await run.Client.ListLimitsAsync(cancellationToken);
            run.Print(new LimitList(limits), LibraryJson.Default.LimitList, output => Write(output, limits));
            return ExitCodes.Ok;
        });
        return command;
    }

    public static void Write(TextWriter output, IReadOnlyList<LimitRecord> limits) => TextTable.Write(
        output,
        ["NAME", "VALUE", "CONFIGURED", "COUNTS"],
        limits.Select(l => (IReadOnlyList<string>)[l.Name, Shown(l.Value), Shown(l.Configured), l.Meaning]));

    private static string Shown(long? value) => value is { } number ? $"{number}" : LimitSetCommand.Unlimited;
}
