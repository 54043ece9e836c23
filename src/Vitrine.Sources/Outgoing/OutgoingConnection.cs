namespace Vitrine.Sources.Outgoing;

/// <summary>A connection to an address that was checked, ready to be spoken over.</summary>
/// <param name="Certificate">The subject and end of the server's certificate; null without TLS.</param>
internal sealed record OutgoingConnection(Stream Stream, string? Certificate) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
