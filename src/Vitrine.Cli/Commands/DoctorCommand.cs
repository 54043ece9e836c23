using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class DoctorCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var url = new Option<string>("--url") { Description = "Also look at an address that somebody means to import from.", HelpName = "URL" };
        var all = new Option<bool>("--all") { Description = "Have all nodes look at themselves, and wait a minute at most." };
        var command = new Command("doctor", "Has the node that answers look at itself; for administrators. Ends with 1 where a check failed or a node is silent.") { url, all };
        command.Does(terminal, (run, cancellationToken) =>
            run.Get(all) ? ExamineAllAsync(run, run.Get(url), cancellationToken) : ExamineAsync(run, run.Get(url), cancellationToken));
        return command;
    }

    private static async Task<int> ExamineAsync(Invocation run, string? url, CancellationToken cancellationToken)
    {
        var report = await run.Client.ExamineAsync(url, cancellationToken);
        run.Print(report, LibraryJson.Default.DoctorRecord, output => Write(output, report));
        return ExitCodeOf(report.Verdict);
    }

    private static async Task<int> ExamineAllAsync(Invocation run, string? url, CancellationToken cancellationToken)
    {
        var begun = await run.Client.BeginExaminationAsync(url, cancellationToken);
        run.Say("Every node looks at itself; that takes some seconds.");
        var last = await run.Client.WatchExaminationAsync(begun.Id, cancellationToken).LastAsync(cancellationToken);
        run.Print(last, LibraryJson.Default.ExaminationRecord, output => Write(output, last));

        // Nobody can say of a silent node that it is well, and who asks for all nodes asks for that one too.
        return last.Silent.Count > 0 ? ExitCodes.Failure : ExitCodeOf(last.Verdict);
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

    private static void Write(TextWriter output, ExaminationRecord examination)
    {
        var found = examination.Nodes.SelectMany(n => n.Findings.Select(f => (IReadOnlyList<string>)[n.Node, f.Verdict, f.Check, $"{f.Detail} {f.Remedy}".TrimEnd()]));
        var silent = examination.Silent.Select(n => (IReadOnlyList<string>)[n, "silent", "", "It gave no answer. Start it, or look at its log and its way to the database."]);
        TextTable.Write(output, ["NODE", "VERDICT", "CHECK", "FINDING"], [.. found, .. silent]);
    }

    private static int ExitCodeOf(string verdict) => verdict == "fail" ? ExitCodes.Failure : ExitCodes.Ok;
}
