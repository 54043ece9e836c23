using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImagePullCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var target = new Option<string>("--output", "-o") { Description = "The file to make, or - for standard output. Default: the image's name and format.", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "Replace a file that is there." };
        var command = new Command("pull", "Fetches the content of an image. The same command again goes on where it was interrupted.") { image, target, force };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            var path = run.Get(target) ?? $"{(found.Name ?? found.Id).Replace('/', '_')}.{found.Format ?? "img"}";
            if (path != "-" && File.Exists(path) && !run.Get(force))
                throw new CliException(ExitCodes.Usage, $"{path} is there already.", "Name another file with -o, or replace it with --force.");

            return await PullAsync(run, found, path, cancellationToken);
        });
        return command;
    }

    private static async Task<int> PullAsync(Invocation run, ImageRecord image, string path, CancellationToken cancellationToken)
    {
        try
        {
            await new TransferBar(run).RunAsync(image.Name ?? image.Id, async progress =>
            {
                await FetchAsync(run, image, path, progress, cancellationToken);
                return true;
            });
        }
        catch (LibraryClientException failure) when (Invocation.ExitCodeOf(failure) == ExitCodes.Failure)
        {
            run.Report(failure);
            return ExitCodes.TransferFailed;
        }

        if (path != "-")
            run.Print(image, LibraryJson.Default.ImageRecord, output => output.WriteLine(path));
        return ExitCodes.Ok;
    }

    private static async Task FetchAsync(
        Invocation run, ImageRecord image, string path, IProgress<TransferProgress> progress, CancellationToken cancellationToken)
    {
        if (path != "-")
        {
            await run.Client.PullAsync(image, path, progress, cancellationToken);
            return;
        }

        await using var output = run.Terminal.OpenBytes();
        await run.Client.PullAsync(image, output, progress, cancellationToken);
    }
}
