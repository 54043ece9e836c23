using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageExportCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var lifetime = new Option<int?>("--lifetime") { Description = "How long the ticket holds, in seconds. Default: a day; thirty at most.", HelpName = "SECONDS" };
        lifetime.AcceptFrom(1);
        var command = new Command("export", "Offers the disk of an image as a read-only block device (NBD), and prints its addresses. They hold a secret ticket.") { image, lifetime };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            var export = await run.Client.ExportDiskAsync(found.Id, new ExportRequest { Lifetime = run.Get(lifetime) }, cancellationToken);
            if (export.Addresses.Count == 0)
                throw new CliException(ExitCodes.Failure, "The library offers no block devices.", "Ask the operator to set Nbd:Listen or Nbd:Socket.");

            run.Print(export, LibraryJson.Default.ExportRecord, output =>
            {
                foreach (var address in export.Addresses)
                    output.WriteLine(address);
            });
            run.Say($"for {found.Name ?? found.Id}, until {export.ExpiresAt:yyyy-MM-dd HH:mm} UTC");
            return ExitCodes.Ok;
        });
        return command;
    }
}
