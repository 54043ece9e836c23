using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class ImageListCommand
{
    public static Command Make(CliTerminal terminal)
    {
        // The wire's own names of what is asked for.
        var filters = new Dictionary<string, Option<string[]>>(StringComparer.Ordinal)
        {
            ["name"] = Filter("--name", "With this name."),
            ["search"] = Filter("--search", "With this text in the name."),
            ["status"] = Filter("--status", "In this status: queued, saving, importing, active or failed."),
            ["kind"] = Filter("--kind", "Of this kind: system, volume or iso."),
            ["format"] = Filter("--format", "Of this format, as qcow2."),
            ["architecture"] = Filter("--architecture", "For this processor, as x86_64."),
            ["visibility"] = Filter("--visibility", "Of this visibility: private, shared, community or public."),
            ["owner"] = Filter("--owner", "Of the project with this id."),
            ["tag"] = Filter("--tag", "With this tag."),
            ["filter"] = Filter("--filter", "self, shared, public, community or all."),
            ["sort"] = Filter("--sort", "In this order, as name:asc or createdAt:desc."),
        };
        var properties = Filter("--property", "With this property, as NAME=VALUE.");
        var limit = new Option<int>("--limit") { Description = "At most so many.", DefaultValueFactory = _ => int.MaxValue, HelpName = "NUMBER" };
        limit.AcceptFrom(1);
        var command = new Command("list", "Lists images.") { properties, limit };
        foreach (var option in filters.Values)
            command.Add(option);

        command.Does(terminal, async (run, cancellationToken) =>
        {
            var asked = filters
                .SelectMany(f => (run.Get(f.Value) ?? []).Select(v => KeyValuePair.Create(f.Key, v)))
                .Concat((run.Get(properties) ?? []).Select(ImageOptions.Pair).Select(p => KeyValuePair.Create($"property.{p.Key}", p.Value)))
                .Append(KeyValuePair.Create("limit", $"{Math.Clamp(run.Get(limit), 1, 1000)}"))
                .ToList();
            var images = await run.Client.ListImagesAsync(asked, cancellationToken).Take(run.Get(limit)).ToListAsync(cancellationToken);
            run.Print(new ImagePage(images, Next: null), LibraryJson.Default.ImagePage, output => Write(output, images));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, IEnumerable<ImageRecord> images) => TextTable.Write(
        output,
        ["ID", "NAME", "STATUS", "FORMAT", "SIZE", "VISIBILITY", "CREATED"],
        images.Select(i => (IReadOnlyList<string>)
        [
            i.Id, i.Name ?? "", i.Enabled ? i.Status : "disabled", i.Format ?? "", Amounts.Bytes(i.Size), i.Visibility, TransferViews.Time(i.CreatedAt)!,
        ]));

    private static Option<string[]> Filter(string name, string description) => new(name) { Description = description, HelpName = "TEXT" };
}
