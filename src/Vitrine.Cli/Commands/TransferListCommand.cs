using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class TransferListCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var states = new Option<string[]>("--state") { Description = "In this state: queued, running, verifying, retrying, done, failed or cancelled.", HelpName = "STATE" };
        var image = new Option<string>("--image") { Description = "Of the image with this id.", HelpName = "ID" };
        var limit = new Option<int>("--limit") { Description = "At most so many, the newest first.", DefaultValueFactory = _ => 100, HelpName = "NUMBER" };
        limit.AcceptFrom(1);
        var command = new Command("list", "Lists transfers, the newest first.") { states, image, limit };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var asked = (run.Get(states) ?? []).Select(s => KeyValuePair.Create("state", s))
                .Append(KeyValuePair.Create("limit", $"{Math.Clamp(run.Get(limit), 1, 1000)}")).ToList();
            if (run.Get(image) is { } id)
                asked.Add(new("image", id));

            var transfers = await run.Client.ListTransfersAsync(asked, cancellationToken).Take(run.Get(limit)).ToListAsync(cancellationToken);
            run.Print(new TransferPage(transfers, Next: null), LibraryJson.Default.TransferPage, output => TextTable.Write(
                output,
                ["ID", "IMAGE", "KIND", "STATE", "MOVED", "RATE", "FAILURE", "CREATED"],
                transfers.Select(t => (IReadOnlyList<string>)
                [
                    t.Id, t.Image, t.Kind, t.State, Amounts.Percent(t.Moved, t.Length), t.Rate >= 1 ? Amounts.Rate(t.Rate) : "", t.Failure?.Code ?? "",
                    TransferViews.Time(t.CreatedAt)!,
                ])));
            return ExitCodes.Ok;
        });
        return command;
    }
}
