using System.CommandLine;
using Vitrine.Cli.Disks;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats;

namespace Vitrine.Cli.Commands;

internal static class InspectCommand
{
    public const string Name = "inspect";

    public static Command Make(CliTerminal terminal)
    {
        var what = new Argument<string>("FILE|URL") { Description = "A file of this machine, or an http or https address." };
        var digest = new Option<bool>("--digest") { Description = "Compute the SHA-256 of the guest's disk too, which is the same in every format." };
        var command = new Command(Name, "Says what a disk image is and whether it is safe, without a library. Ends with 0: safe, 2: unsafe, 3: unknown, 1: nothing could be said.") { what, digest };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            await using var content = await DiskInput.OpenAsync(run.Get(what), cancellationToken);
            var report = await DiskReport.MakeAsync(content, cancellationToken);
            var sum = run.Get(digest) && report.Verdict is { } verdict ? await SumAsync(run, run.Get(what), verdict, cancellationToken) : null;
            var record = InspectionRecord.Of(report, sum);
            run.Print(record, InspectionJson.Default.InspectionRecord, output => TextTable.WriteFacts(
                output,
                ("verdict", record.Verdict),
                ("reason", record.Reason is null ? null : record.Feature is null ? record.Reason : $"{record.Feature}: {record.Reason}"),
                ("format", record.Format),
                ("container", record.Container is "bare" ? null : record.Container),
                ("label", record.Label),
                ("size", $"{Amounts.Bytes(record.Size)} ({record.Size} bytes)"),
                ("disk size", record.DiskSize is { } size ? $"{Amounts.Bytes(size)} ({size} bytes)" : null),
                ("boots by", record.Boot is { } boot ? Firmware(boot) : null),
                ("disk sha256", record.DiskSha256)));
            return ExitCodeOf(report.Safety);
        });
        return command;
    }

    private static async Task<string> SumAsync(Invocation run, string name, FormatVerdict verdict, CancellationToken cancellationToken)
    {
        await using var disk = await new DiskFormats().OpenAsync(await DiskInput.OpenAsync(name, cancellationToken), verdict.Format, verdict.Container, cancellationToken);
        return await new TransferBar(run).RunAsync("sha256", async progress =>
            (await DiskDigest.ComputeAsync(disk, new BarProgress(progress, disk.Length), cancellationToken)).Hex);
    }

    private static string Firmware(BootRecord boot) => (boot.Bios, boot.Uefi) switch
    {
        (true, true) => "BIOS and UEFI",
        (true, false) => "BIOS",
        (false, true) => "UEFI",
        _ => "nothing that was found",
    };

    private static int ExitCodeOf(DiskSafety safety) => safety switch
    {
        DiskSafety.Safe => ExitCodes.Ok,
        DiskSafety.Unsafe => ExitCodes.UnsafeVerdict,
        _ => ExitCodes.UnknownVerdict,
    };
}
