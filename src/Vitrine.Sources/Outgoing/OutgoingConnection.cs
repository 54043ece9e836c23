using System.Net;
using System.Net.Sockets;
using Vitrine.Transfers;

namespace Vitrine.Sources.Outgoing;

/// <summary>A connection to an address that was checked, ready to be spoken over.</summary>
/// <param name="Address">The checked address that it leads to; null where a proxy looked the name up.</param>
/// <param name="Certificate">The subject and end of the server's certificate; null without TLS.</param>
internal sealed record OutgoingConnection(Stream Stream, IPAddress? Address, string? Certificate) : IAsyncDisposable
{
    // Asked at once, as whoever speaks over the connection may close it; TLS keeps what was found of the socket below it.
    private readonly PathMtu? _mtu = Stream is NetworkStream { Socket: var socket } ? PathMtu.Of(socket) : null;

    /// <summary>Looks at the interface that it goes out by.</summary>
    public SourceRoute FindRoute() => new(Address?.ToString(), _mtu?.Bytes, _mtu?.FindOfInterface());

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
