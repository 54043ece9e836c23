using System.CommandLine;

namespace Vitrine.Cli.Commands;

internal static class ImageDeleteCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var store = new Option<string>("--store") { Description = "Take it out of this store alone, which is not the only one to have it.", HelpName = "NAME" };
        var command = new Command("delete", "Deletes an image, and cancels the transfer that brings its content.") { image, store };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            if (run.Get(store) is { } one)
            {
                await run.Client.DeleteReplicaAsync(found.Id, one, cancellationToken);
                run.Say($"Image {found.Id} is in the store {one} no more.");
                return ExitCodes.Ok;
            }

            await run.Client.DeleteImageAsync(found.Id, cancellationToken);
            run.Say($"Image {found.Id} is deleted.");
            return ExitCodes.Ok;
        });
        return command;
    }
}
