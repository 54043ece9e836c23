using System.CommandLine;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>One run of one command.</summary>
internal sealed class Invocation(CliTerminal terminal, ParseResult parsed) : IDisposable
{
    private LibraryClient? _client;

    public CliTerminal Terminal { get; } = terminal;

    public bool Json => parsed.GetValue(GlobalOptions.Json);

    public bool Quiet => parsed.GetValue(GlobalOptions.Quiet);

    public SettingsFile SettingsFile { get; } = SettingsFile.Find(terminal.Variable);

    public Settings Settings => field ??= SettingsFile.Load();

    public Uri Address => field ??= Session.AddressOf(parsed.GetValue(GlobalOptions.Server), Terminal, Settings);

    public LibraryClient Client => _client ??= Session.Open(Address, parsed.GetValue(GlobalOptions.Authorities), Terminal, Settings);

    public UploadMemory Uploads => new(Path.Combine(SettingsFile.Folder, "uploads"));

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    /// <summary>True where the user wrote the option.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The result of the command: as the wire has it, or for people.</summary>
    public void Print<T>(T record, JsonTypeInfo<T> type, Action<TextWriter> write)
    {
        if (Json)
            Terminal.Out.WriteLine(JsonSerializer.Serialize(record, type));
        else
            write(Terminal.Out);
    }

    /// <summary>A sentence beside the result.</summary>
    public void Say(string sentence)
    {
        if (!Quiet && !Json)
            Terminal.Error.WriteLine(sentence);
    }

    /// <summary>The image that a user means by an id or a name.</summary>
    /// <exception cref="CliException">None has the name, or several have.</exception>
    public async Task<ImageRecord> FindImageAsync(string idOrName, CancellationToken cancellationToken)
    {
        if (Guid.TryParseExact(idOrName, "D", out _))
            return await Client.GetImageAsync(idOrName, cancellationToken);

        var found = new List<ImageRecord>();
        await foreach (var image in Client.ListImagesAsync([new("name", idOrName), new("limit", "10")], cancellationToken))
            found.Add(image);

        return found switch
        {
            [] => throw new CliException(ExitCodes.NotFound, $"There is no image '{idOrName}'.", "Run: vitrine image list"),
            [var only] => only,
            _ => throw new CliException(
                ExitCodes.Usage, $"{found.Count} images are named '{idOrName}'.", $"Name one by its id: {string.Join(", ", found.Take(10).Select(i => i.Id))}"),
        };
    }

    /// <summary>Tells what went wrong.</summary>
    /// <returns>What the process ends with.</returns>
    public int Report(Exception failure)
    {
        var (code, status, remedy, field) = failure switch
        {
            LibraryClientException library => (library.Code, library.Status is { } answer ? (int)answer : 0, library.Remedy, library.Field),
            CliException cli => ("cli", 0, cli.Remedy, null),
            _ => ("cli", 0, null, (string?)null),
        };
        if (Json)
        {
            var problem = new ProblemRecord("about:blank", "", status, failure.Message, code, field, remedy ?? "", (failure as LibraryClientException)?.RequestId ?? "");
            Terminal.Error.WriteLine(JsonSerializer.Serialize(problem, LibraryJson.Default.ProblemRecord));
        }
        else
        {
            Terminal.Error.WriteLine($"vitrine: {failure.Message}");
            if (!string.IsNullOrEmpty(remedy))
                Terminal.Error.WriteLine($"  {remedy}");
        }

        return ExitCodeOf(failure);
    }

    public static int ExitCodeOf(Exception failure) => failure switch
    {
        CliException cli => cli.ExitCode,
        LibraryClientException { Status: HttpStatusCode.NotFound } => ExitCodes.NotFound,
        LibraryClientException { Status: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } => ExitCodes.Denied,
        LibraryClientException { Code: ClientCodes.NotLoggedIn } => ExitCodes.Denied,
        OperationCanceledException => ExitCodes.Interrupted,
        _ => ExitCodes.Failure,
    };

    public void Dispose() => _client?.Dispose();
}

/// <summary>What every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<bool> Json = new("--json") { Description = "Print the records as JSON, one a line.", Recursive = true };

    public static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Print results only: no progress, no remarks.", Recursive = true };

    public static readonly Option<string> Server = new("--server") { Description = "The library's address; else VITRINE_URL, else that of the last login.", Recursive = true, HelpName = "URL" };

    public static readonly Option<string> Authorities = new("--cacert")
    {
        Description = "A PEM file of the authorities to trust; else VITRINE_CACERT, else that of the last login, else the system's.",
        Recursive = true,
        HelpName = "FILE",
    };
}
