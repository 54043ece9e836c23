using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageImportCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var url = new Argument<string>("URL") { Description = "The address of the file." };
        var checksum = new Option<string>("--checksum")
        {
            Description = "What the publisher says the sum of the file is; auto looks for SHA256SUMS and its kin beside the file.",
            HelpName = "sha256:…|auto",
        };
        var mirrors = new Option<string[]>("--mirror") { Description = "Another address of the same file, to go on at; may be repeated.", HelpName = "URL" };
        var targets = new TargetOptions();
        var duplicate = new Option<bool>("--allow-duplicate") { Description = "Make a second image of an address that there is one of." };
        var wait = new Option<bool>("--wait") { Description = "Wait until the image is active. This is the default." };
        var noWait = WaitOptions.NoWait();
        var options = new ImageOptions(isNew: true);
        var command = new Command("import", "Has the library fetch an image from an address.") { url, checksum, mirrors, duplicate, wait, noWait };
        targets.AddTo(command);
        options.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(wait) is not null && result.GetResult(noWait) is not null)
                result.AddError("--wait and --no-wait exclude each other.");
        });
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var source = new ImageSource
            {
                Url = run.Get(url),
                Mirrors = run.Get(mirrors) is { Length: > 0 } more ? more : null,
                Checksum = run.Get(checksum),
                Stores = targets.Stores(run),
                Zone = targets.Zone(run),
                AllStores = targets.All(run),
                AllowDuplicate = run.Get(duplicate),
            };
            var created = await run.Client.CreateImageAsync(options.Describe(run) with { Source = source }, cancellationToken);
            if (run.Get(noWait))
            {
                run.Print(created, LibraryJson.Default.ImageCreated, output => output.WriteLine(created.Image.Id));
                return ExitCodes.Ok;
            }

            run.Say($"Image {created.Image.Id} is being imported; the import goes on if you interrupt this command.");
            return await FinishAsync(run, created, cancellationToken);
        });
        return command;
    }

    private static async Task<int> FinishAsync(Invocation run, ImageCreated created, CancellationToken cancellationToken)
    {
        var code = await TransferWatch.FollowAsync(run, created.Image.Name!, created.Transfer!.Id, cancellationToken);
        if (code != ExitCodes.Ok)
            return code;

        var image = await run.Client.GetImageAsync(created.Image.Id, cancellationToken);
        run.Print(image, LibraryJson.Default.ImageRecord, output => output.WriteLine(image.Id));
        return ExitCodes.Ok;
    }
}
