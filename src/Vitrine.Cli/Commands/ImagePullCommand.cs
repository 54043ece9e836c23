using System.CommandLine;
using Vitrine.Cli.Disks;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImagePullCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images)
    {
        var image = images.Make();
        var target = new Option<string>("--output", "-o") { Description = "The file to make, or - for standard output. Default: the image's name and format.", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "Replace a file that is there." };
        var format = new DiskTarget("Have the library make another format of the disk. Default: the content as it was uploaded.");
        var command = new Command("pull", "Fetches the content of an image. The same command again goes on where it was interrupted.") { image, target, force };
        format.AddTo(command);
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var asked = format.Of(run) is { } other ? new DiskConversionRequest(other.Format.Word(), other.Variant, other.Compress) : null;
            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            var path = run.Get(target) ?? $"{(found.Name ?? found.Id).Replace('/', '_')}.{asked?.Format ?? (found.Container == "ova" ? "ova" : found.Format) ?? "img"}";
            DiskOutput.Check(path, run.Get(force));

            return await PullAsync(run, found, asked, path, cancellationToken);
        });
        return command;
    }

    private static async Task<int> PullAsync(Invocation run, ImageRecord image, DiskConversionRequest? asked, string path, CancellationToken cancellationToken)
    {
        try
        {
            await new TransferBar(run).RunAsync(image.Name ?? image.Id, async progress =>
            {
                await FetchAsync(run, image, asked, path, progress, cancellationToken);
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
        Invocation run, ImageRecord image, DiskConversionRequest? asked, string path, IProgress<TransferProgress> progress, CancellationToken cancellationToken)
    {
        if (path == "-")
        {
            await using var output = run.Terminal.OpenBytes();
            await (asked is null
                ? run.Client.PullAsync(image, output, progress, cancellationToken)
                : run.Client.PullAsync(image, asked, output, cancellationToken));
        }
        else
        {
            await (asked is null
                ? run.Client.PullAsync(image, path, progress, cancellationToken)
                : run.Client.PullAsync(image, asked, path, progress, cancellationToken));
        }
    }
}
