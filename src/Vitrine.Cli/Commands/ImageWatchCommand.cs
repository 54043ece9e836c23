using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageWatchCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var several = images.MakeSeveral();
        var command = new Command("watch", "Follows the transfers that bring the content of images, to their end.") { several };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var worst = ExitCodes.Ok;
            foreach (var image in run.Get(several))
                worst = Math.Max(worst, await WatchAsync(run, image, cancellationToken));
            return worst;
        });
        return command;
    }

    private static async Task<int> WatchAsync(Invocation run, string image, CancellationToken cancellationToken)
    {
        var found = await run.FindImageAsync(image, cancellationToken);
        if (found.Transfer is { } transfer)
            return await TransferWatch.FollowAsync(run, found.Name ?? found.Id, transfer.Id, cancellationToken);

        run.Print(found, LibraryJson.Default.ImageRecord, output => output.WriteLine($"Image {found.Id} is {found.Status}; no transfer brings its content."));
        return ExitCodes.Ok;
    }
}
