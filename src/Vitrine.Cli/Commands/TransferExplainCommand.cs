using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class TransferExplainCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var id = new Argument<string>("TRANSFER") { Description = "The id of the transfer." };
        var command = new Command("explain", "Says where a transfer stands, why, and what can be done.") { id };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var explanation = await run.Client.ExplainTransferAsync(run.Get(id), cancellationToken);
            run.Print(explanation, LibraryJson.Default.ExplanationRecord, output => Write(output, explanation));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, ExplanationRecord explanation)
    {
        output.WriteLine(explanation.Summary);
        if (explanation.Cause is { } cause)
            output.WriteLine($"Why: {cause}");
        if (explanation.Remedy is { } remedy)
            output.WriteLine($"What to do: {remedy}");
        TextTable.Write(output, ["STEP", "STATE"], explanation.Steps.Select(s => (IReadOnlyList<string>)[s.Name, s.State]));
    }
}
