using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vitrine.Images;
using Vitrine.Sources.Http;
using Vitrine.Transfers;

namespace Vitrine.Sources.Libraries;

/// <summary>Images of other libraries of this kind, by credentials that the operator set up: read by HTTP with a token that is asked for first.</summary>
internal sealed partial class LibrarySource(OutgoingHttp http, HttpSource files, SourceOptions options) : ISource
{
    private const string Scheme = "vitrine";
    private const int LongestAnswer = 64 * 1024;

    public IReadOnlyCollection<string> Schemes { get; } = [Scheme];

    public void Check(Uri address) => files.Check(Find(address).File);

    public async Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken)
    {
        var (library, file) = Find(address);
        return await files.OpenAsync(file, from, validator, HttpLogin.Bearer(await LogInAsync(library, cancellationToken)), cancellationToken);
    }

    public async Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken)
    {
        var (library, file) = Find(address);
        return await files.ProbeAsync(file, HttpLogin.Bearer(await LogInAsync(library, cancellationToken)), cancellationToken);
    }

    /// <returns>The library, and where it has the image's content.</returns>
    private (LibraryCredential Library, Uri File) Find(Uri address)
    {
        var match = Form.Match(address.OriginalString);
        if (!match.Success || !ImageId.TryParse(match.Groups["image"].Value, out var image))
            throw new SourceException(SourceFault.MalformedUrl, "The address of another library's image is vitrine://library/image-id.", mayPass: false);

        var name = match.Groups["name"].Value;
        return options.Libraries.FirstOrDefault(l => l.Name == name) is { } library
            ? (library, At(library, $"images/{image}/file"))
            : throw new SourceException(
                SourceFault.Login, $"The operator set up no library that is named {name} ({SourceOptions.Section}:Libraries).", mayPass: false);
    }

    /// <returns>A token.</returns>
    private async Task<string> LogInAsync(LibraryCredential library, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["applicationCredential"] = new JsonObject { ["id"] = library.CredentialId, ["secret"] = library.CredentialSecret },
        };
        await using var exchange = await http.SendAsync(At(library, "tokens"), HttpAsk.Post(body.ToJsonString()), cancellationToken);
        if (exchange.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            throw new SourceException(SourceFault.Login, $"The library {library.Name} does not take the operator's credential.", mayPass: false);
        if (exchange.Status is not HttpStatusCode.Created)
            throw HttpFailures.OfStatus(exchange);

        return await ReadTokenAsync(exchange, library, cancellationToken);
    }

    private async Task<string> ReadTokenAsync(HttpExchange exchange, LibraryCredential library, CancellationToken cancellationToken)
    {
        await using var body = files.Body(exchange, await exchange.ReadBodyAsync(cancellationToken), exchange.ContentLength);
        var answer = new byte[LongestAnswer];
        var length = await body.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            if (JsonNode.Parse(answer.AsSpan(0, length)) is JsonObject read && read["token"] is JsonValue said && said.TryGetValue<string>(out var token)
                && token.Length > 0 && token.All(c => c is > ' ' and <= '~'))
            {
                return token;
            }
        }
        catch (JsonException)
        {
            // It is no answer of a library.
        }

        throw new SourceException(SourceFault.Broken, $"What answers for the library {library.Name} is none.", mayPass: false);
    }

    private static Uri At(LibraryCredential library, string path) => new($"{library.Address.TrimEnd('/')}/api/v1/{path}");

    [GeneratedRegex("^vitrine://(?<name>[A-Za-z0-9.-]{1,64})/(?<image>[0-9A-Fa-f-]{36})$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Form { get; }
}
