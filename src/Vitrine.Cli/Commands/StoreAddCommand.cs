using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreAddCommand
{
    private const char FromFile = '@';

    public static Command Make(CliTerminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "The name of the new store: lower-case letters, digits, dashes and underscores." };
        var kind = new Option<string>("--kind") { Description = "What it is kept in.", HelpName = "directory|chunked|s3|rbd", Required = true };
        kind.AcceptOnlyFromAmong("directory", "chunked", "s3", "rbd");
        var path = new Option<string>("--path") { Description = "The directory of a store of the kinds directory and chunked, on every node of the zone.", HelpName = "PATH" };
        var settings = new Option<string[]>("--set")
        {
            Description = "A setting as the configuration has it, as S3:Bucket=images; S3:SecretKey=@FILE takes the first line of a file. More than once for several.",
            HelpName = "KEY=VALUE",
        };
        settings.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => t.Value.IndexOf('=', StringComparison.Ordinal) < 1))
                result.AddError($"'{token.Value}' is no setting; write it as KEY=VALUE.");
        });
        var zone = new Option<string>("--zone") { Description = "The zone that it is in, which must be that of the node. Default: that.", HelpName = "ZONE" };
        var description = new Option<string>("--description") { Description = "What it is there for.", HelpName = "TEXT" };
        var syncAddress = new Option<string>("--sync-address") { Description = "By which copies between stores reach the server of a bucket.", HelpName = "URL" };
        var command = new Command("add", "Adds a store while the library runs, on every node of the zone. It is tried first, and must be empty.")
        {
            name, kind, path, settings, zone, description, syncAddress,
        };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var request = new StoreCreate
            {
                Name = run.Get(name),
                Kind = run.Get(kind),
                Path = run.Get(path),
                Settings = await ReadAsync(run.Get(settings) ?? [], cancellationToken),
                Zone = run.Get(zone),
                Description = run.Get(description),
                SyncAddress = run.Get(syncAddress),
            };
            var store = await run.Client.AddStoreAsync(request, cancellationToken);
            run.Print(store, LibraryJson.Default.StoreRecord, output => StoreViews.Write(output, store, []));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task<IReadOnlyDictionary<string, string>> ReadAsync(IEnumerable<string> words, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var word in words)
        {
            var end = word.IndexOf('=', StringComparison.Ordinal);
            var value = word[(end + 1)..];
            settings[word[..end]] = value.StartsWith(FromFile) ? await ReadLineAsync(value[1..], cancellationToken) : value;
        }

        return settings;
    }

    private static async Task<string> ReadLineAsync(string path, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(path);
        return await reader.ReadLineAsync(cancellationToken) ?? "";
    }
}
