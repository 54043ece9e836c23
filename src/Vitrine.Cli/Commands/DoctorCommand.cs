using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class DoctorCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var url = new Option<string>("--url") { Description = "Also look at an address that somebody means to import from.", HelpName = "URL" };
        var command = new Command("doctor", "Has the node that answers look at itself; for administrators. Ends with 1 where a check failed.") { url };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var report = await run.Client.ExamineAsync(run.Get(url), cancellationToken);
            run.Print(report, LibraryJson.Default.DoctorRecord, output => Write(output, report));
            return report.Verdict == "fail" ? ExitCodes.Failure : ExitCodes.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, DoctorRecord report)
    {
        output.WriteLine($"Node {report.Node}: {report.Verdict}");
        foreach (var finding in report.Findings)
        {
            output.WriteLine($"{finding.Verdict,-4}  {finding.Check}: {finding.Detail}");
            if (finding.Remedy is { } remedy)
                output.WriteLine($"      {remedy}");
        }
    }
}
