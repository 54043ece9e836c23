using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageWatchCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var command = new Command("watch", "Follows the transfer that brings an image's content, to its end.") { image };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            if (found.Transfer is { } transfer)
                return await TransferWatch.FollowAsync(run, found.Name ?? found.Id, transfer.Id, cancellationToken);

            run.Print(found, LibraryJson.Default.ImageRecord, output => output.WriteLine($"Image {found.Id} is {found.Status}; no transfer brings its content."));
            return ExitCodes.Ok;
        });
        return command;
    }
}
