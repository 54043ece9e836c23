using System.Net;

namespace Vitrine.Sources.Outgoing;

/// <summary>A connection to an address that was checked, ready to be spoken over.</summary>
/// <param name="Address">The checked address that it leads to; null where a proxy looked the name up.</param>
/// <param name="Certificate">The subject and end of the server's certificate; null without TLS.</param>
internal sealed record OutgoingConnection(Stream Stream, IPAddress? Address, string? Certificate) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
