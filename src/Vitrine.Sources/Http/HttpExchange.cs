using System.Net;
using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.Sources.Http;

/// <summary>One request, its answer's head, and the connection that the body comes over.</summary>
/// <param name="address">The address that answered.</param>
internal sealed class HttpExchange(
    Uri address, OutgoingTarget target, HttpResponseMessage response, HttpMessageInvoker invoker, OutgoingConnection connection)
    : IAsyncDisposable
{
    public OutgoingTarget Target { get; } = target;
    public HttpStatusCode Status => response.StatusCode;
    public string? Certificate => connection.Certificate;
    public SourceRoute FindRoute() => connection.FindRoute();
    public string RedactedAddress => SourceAddress.Redact(address);
    public string? ContentType => Header("Content-Type");
    public long? ContentLength => response.Content.Headers.ContentLength;

    public Task<Stream> ReadBodyAsync(CancellationToken cancellationToken) => response.Content.ReadAsStreamAsync(cancellationToken);

    /// <summary>The value as it came; null where there is none, or more than one, which nobody could choose from.</summary>
    public string? Header(string name)
    {
        var found = response.Headers.NonValidated.TryGetValues(name, out var values)
            || response.Content.Headers.NonValidated.TryGetValues(name, out values);
        return found && values.Count == 1 ? values.ToString() : null;
    }

    public async ValueTask DisposeAsync()
    {
        // The connection goes first: a response that is let go of politely would first read what is left of its body.
        await connection.DisposeAsync();
        response.Dispose();
        invoker.Dispose();
    }
}
