using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageSetCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var options = new ImageOptions(isNew: false);
        var gone = new Option<string[]>("--unset-property") { Description = "A property to take away; may be given more than once.", HelpName = "NAME" };
        var cleared = new Option<string[]>("--clear") { Description = "A field to clear: description, format, container, architecture, platform, os, firmware, tags or properties.", HelpName = "FIELD" };
        var command = new Command("set", "Changes what is said of an image. Tags that are given take the place of all tags.") { image, gone, cleared };
        options.AddTo(command);
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var change = options.Change(run, run.Get(gone) ?? [], run.Get(cleared) ?? []);
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            var changed = await run.Client.ChangeImageAsync(found.Id, change, cancellationToken);
            run.Print(changed, LibraryJson.Default.ImageRecord, output => TransferViews.Write(output, changed));
            return ExitCodes.Ok;
        });
        return command;
    }
}
