using System.CommandLine;
using Vitrine.Cli.Disks;
using Vitrine.Disks;
using Vitrine.Formats;

namespace Vitrine.Cli.Commands;

internal static class ConvertCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var input = new Argument<string>("IN") { Description = "A disk image; its format is judged by its bytes." };
        var output = new Argument<string>("OUT") { Description = "The file to make, or - for standard output." };
        var force = new Option<bool>("--force") { Description = "Replace a file that is there." };
        var target = new DiskTarget("The format to make. Default: as OUT is called.");
        var command = new Command("convert", "Makes a file of another format of a disk image, without a library. Zeros become holes.") { input, output, force };
        target.AddTo(command);
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var path = run.Get(output);
            var asked = target.Of(run, path);
            DiskOutput.Check(path, run.Get(force));

            try
            {
                await ConvertAsync(run, run.Get(input), path, asked, cancellationToken);
            }
            catch (LibraryException refused)
            {
                throw new CliException(refused is Content.UnsafeContentException ? ExitCodes.RefusedContent : ExitCodes.Failure, refused.Message, refused.Remedy);
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task ConvertAsync(Invocation run, string input, string output, ConversionTarget target, CancellationToken cancellationToken)
    {
        var formats = new DiskFormats();
        var content = await DiskInput.OpenAsync(input, cancellationToken);
        var verdict = await FormatInspector.InspectAsync(content, cancellationToken);
        if (content.Length == 0)
            throw new Content.ContentEmptyException();
        if (verdict.Wrapper is { } wrapper)
            throw new CliException(ExitCodes.Failure, $"{input} is a {wrapper.Word()} file.", "Unpack it first; the library does so with what it is given.");

        var disk = await formats.OpenAsync(content, verdict.Format, verdict.Container, cancellationToken);
        await disk.CheckAsync(cancellationToken);
        var length = disk.Length;
        await using var conversion = await formats.ConvertAsync(disk, target, cancellationToken);
        if (output == "-")
        {
            await using var bytes = run.Terminal.OpenBytes();
            await conversion.CopyToAsync(bytes, cancellationToken);
            return;
        }

        // The file appears under its name when it is whole; until then its name is nobody else's.
        var part = $"{output}.{Guid.NewGuid():N}.part";
        try
        {
            using (var file = File.OpenHandle(part, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                await new TransferBar(run).RunAsync(Path.GetFileName(output), async progress =>
                {
                    await conversion.WriteFileAsync(file, new BarProgress(progress, length), cancellationToken);
                    return true;
                });
            }

            File.Move(part, output, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }
}
