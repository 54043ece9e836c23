using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ProbeCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var url = new Argument<string>("URL") { Description = "The address of a file." };
        var command = new Command("probe", "Has the library ask a source about a file, without fetching it.") { url };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var probe = await run.Client.ProbeAsync(run.Get(url), cancellationToken);
            run.Print(probe, LibraryJson.Default.ProbeRecord, output => TextTable.WriteFacts(
                output,
                ("address", probe.FinalAddress),
                ("status", $"{probe.Status}"),
                ("length", probe.Length is { } length ? $"{Amounts.Bytes(length)} ({length} bytes)" : "unknown"),
                ("type", probe.ContentType),
                ("ranges", probe.CanResume ? "yes" : "no: an interrupted transfer begins again"),
                ("validator", probe.Validator),
                ("certificate", probe.Certificate)));
            return ExitCodes.Ok;
        });
        return command;
    }
}
