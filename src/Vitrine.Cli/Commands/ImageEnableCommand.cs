using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageEnableCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images, bool enabled)
    {
        var image = images.Make();
        var command = enabled
            ? new Command("enable", "Allows new uses of an image.")
            : new Command("disable", "Forbids new uses of an image; its content stays.");
        command.Add(image);
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            var changed = await run.Client.EnableImageAsync(found.Id, enabled, cancellationToken);
            run.Print(changed, LibraryJson.Default.ImageRecord, output => output.WriteLine($"Image {changed.Id} is {(changed.Enabled ? "enabled" : "disabled")}."));
            return ExitCodes.Ok;
        });
        return command;
    }
}
