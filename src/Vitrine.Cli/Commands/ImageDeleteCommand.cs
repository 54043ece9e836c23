using System.CommandLine;

namespace Vitrine.Cli.Commands;

internal static class ImageDeleteCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var command = new Command("delete", "Deletes an image, and cancels the transfer that brings its content.") { image };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            await run.Client.DeleteImageAsync(found.Id, cancellationToken);
            run.Say($"Image {found.Id} is deleted.");
            return ExitCodes.Ok;
        });
        return command;
    }
}
