using System.CommandLine;
using System.Text.Json;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class EventsCommand
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(2);

    public static Command Make(CliTerminal terminal)
    {
        var images = new Option<string[]>("--image") { Description = "Only of this image; may come more than once.", HelpName = "IMAGE" };
        var command = new Command("events", "Tells what becomes of images and transfers, until it is interrupted.") { images };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var wanted = new List<string>();
            foreach (var image in run.Get(images) ?? [])
                wanted.Add((await run.FindImageAsync(image, cancellationToken)).Id);
            return await TellAsync(run, wanted, cancellationToken);
        });
        return command;
    }

    /// <summary>A connection that ends is made anew, and goes on behind the last event.</summary>
    private static async Task<int> TellAsync(Invocation run, List<string> images, CancellationToken cancellationToken)
    {
        string? last = null;
        while (true)
        {
            try
            {
                await foreach (var told in run.Client.StreamEventsAsync(images, last, cancellationToken))
                {
                    last = told.Word is StreamWord.Reset ? null : told.Id ?? last;
                    Tell(run, told);
                }
            }
            catch (LibraryClientException failure) when (failure.MayPass)
            {
                run.Say(failure.Message);
            }

            await Task.Delay(Wait, run.Terminal.Time, cancellationToken);
        }
    }

    private static void Tell(Invocation run, StreamedEvent told)
    {
        if (told.Word is StreamWord.Reset)
            run.Say("Some events were missed.");
        else if (told.Event is { } one)
            run.Print(one, LibraryJson.Default.EventRecord, output => output.WriteLine(Line(one)));
        else if (told.Progress is { } transfer && run.Json)
            run.Terminal.Out.WriteLine(JsonSerializer.Serialize(transfer, LibraryJson.Default.TransferRecord));
        else if (told.Progress is { } moving)
            run.Say($"transfer {moving.Id} of image {moving.Image} {TransferViews.Line(moving)}");
    }

    private static string Line(EventRecord one)
    {
        var subject = one.Transfer is { } transfer ? $"transfer {transfer} of image {one.Image}" : $"image {one.Image}";
        var cause = one.Failure is { } failure ? $" ({failure})" : "";
        return $"{TransferViews.Time(one.At)} {subject}: {one.State}{cause}";
    }
}
