using System.CommandLine;
using System.Net;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImagePushCommand
{
    private const int MostConnections = 16;

    public static Command Make(CliTerminal terminal)
    {
        var path = new Argument<FileInfo>("FILE") { Description = "The file to send." };
        var checksum = new Option<string>("--checksum") { Description = "What the publisher says the sum of the file is.", HelpName = "sha256:…" };
        var parallel = new Option<int>("--parallel")
        {
            Description = "By how many connections the file is sent; the store needs room for it twice where they are several.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        parallel.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MostConnections)
                result.AddError($"--parallel is a number from 1 to {MostConnections}.");
        });
        var targets = new TargetOptions();
        var options = new ImageOptions(isNew: true);
        var command = new Command("push", "Sends a file as a new image. The same command again goes on where it was interrupted.") { path, checksum, parallel };
        targets.AddTo(command);
        options.AddTo(command);
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var file = run.Get(path);
            if (!file.Exists)
                throw new CliException(ExitCodes.Usage, $"There is no file {file.FullName}.");

            var request = new UploadRequest
            {
                Length = file.Length,
                Checksum = run.Get(checksum),
                Stores = targets.Stores(run),
                Zone = targets.Zone(run),
                AllStores = targets.All(run),
            };
            return await PushAsync(run, file, options.Describe(run) with { Upload = request }, run.Get(parallel), cancellationToken);
        });
        return command;
    }

    private static async Task<int> PushAsync(Invocation run, FileInfo file, ImageCreate describe, int parallel, CancellationToken cancellationToken)
    {
        var key = UploadMemory.KeyOf(file, run.Address, describe.Name ?? "");
        var upload = await FindEarlierAsync(run, key, cancellationToken) ?? await BeginAsync(run, key, describe, cancellationToken);
        try
        {
            var image = await new TransferBar(run).RunAsync(
                file.Name, progress => run.Client.PushAsync(upload.Transfer, file.FullName, parallel, progress, cancellationToken));
            run.Uploads.Forget(key);
            run.Print(image, LibraryJson.Default.ImageRecord, output => output.WriteLine(image.Id));
            return ExitCodes.Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            run.Say("Interrupted. Run the same command again to go on.");
            return ExitCodes.Interrupted;
        }
        catch (LibraryClientException failure) when (Invocation.ExitCodeOf(failure) == ExitCodes.Failure)
        {
            if (!failure.MayPass)
                run.Uploads.Forget(key);
            run.Report(failure);
            if (failure.MayPass)
                run.Say("Run the same command again to go on.");
            return ExitCodes.TransferFailed;
        }
    }

    /// <summary>An upload of the same file that an earlier run began and that can still go on.</summary>
    private static async Task<RememberedUpload?> FindEarlierAsync(Invocation run, string key, CancellationToken cancellationToken)
    {
        if (run.Uploads.Find(key) is not { } earlier)
            return null;

        try
        {
            var state = await run.Client.GetTransferAsync(earlier.Transfer, cancellationToken);
            if (state.State is not ("failed" or "cancelled"))
            {
                run.Say($"Going on with the upload of image {earlier.Image}.");
                return earlier;
            }
        }
        catch (LibraryClientException failure) when (failure.Status is HttpStatusCode.NotFound)
        {
            // The library knows it no more: begin anew.
        }

        run.Uploads.Forget(key);
        return null;
    }

    private static async Task<RememberedUpload> BeginAsync(Invocation run, string key, ImageCreate describe, CancellationToken cancellationToken)
    {
        var created = await run.Client.CreateImageAsync(describe, cancellationToken);
        var upload = new RememberedUpload(created.Upload!.Transfer, created.Image.Id);
        run.Uploads.Remember(key, upload);
        return upload;
    }
}
