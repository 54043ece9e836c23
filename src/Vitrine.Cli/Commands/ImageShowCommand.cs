using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageShowCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var command = new Command("show", "Shows an image.") { image };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            run.Print(found, LibraryJson.Default.ImageRecord, output => TransferViews.Write(output, found));
            return ExitCodes.Ok;
        });
        return command;
    }
}
