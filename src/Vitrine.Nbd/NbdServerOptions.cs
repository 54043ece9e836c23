using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Vitrine.Nbd;

/// <summary>Where a server listens, and how much it bears.</summary>
public sealed record NbdServerOptions
{
    /// <summary>Addresses of TCP, and paths of unix sockets, which only the server's own user may connect to.</summary>
    public required IReadOnlyList<EndPoint> Endpoints { get; init; }

    public NbdTls Tls { get; init; } = NbdTls.Off;

    /// <summary>What the server proves itself with, its key included. Needed unless TLS is off. It stays the caller's.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Connections at a time, of all endpoints together; more are closed at once. Default: 1024.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>How long a client may take from connecting until it has its export. Default: 30 seconds.</summary>
    public TimeSpan HandshakeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a client may ask for nothing. Default: for ever, since a guest whose memory holds all it needs is silent for
    /// days; a TCP peer that is gone is found out by keep-alive.
    /// </summary>
    public TimeSpan IdleLimit { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long a client may leave a reply untaken, which holds memory here. Default: 5 minutes.</summary>
    public TimeSpan StallLimit { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Why no server can be made of these; null where one can.</summary>
    internal string? Fault =>
        Endpoints.Count == 0 ? "There is no endpoint to listen on."
        : Tls != NbdTls.Off && Certificate is not { HasPrivateKey: true } ? "TLS needs a certificate with its key."
        : MaxConnections < 1 ? "A server of no connections serves nobody."
        : HandshakeLimit <= TimeSpan.Zero || StallLimit <= TimeSpan.Zero || (IdleLimit <= TimeSpan.Zero && IdleLimit != Timeout.InfiniteTimeSpan)
            ? "A limit of time must be longer than nothing."
        : null;
}

public enum NbdTls
{
    /// <summary>Clients that ask for TLS are told that there is none.</summary>
    Off,

    /// <summary>Clients choose. What one gets over TLS another gets without.</summary>
    Optional,

    /// <summary>Nothing is said of exports before TLS.</summary>
    Required,
}
