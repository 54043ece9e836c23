namespace Vitrine.Transfers;

/// <summary>Gives the bytes of one kind of address. Knows nothing of images, stores or retries.</summary>
/// <remarks>
/// Every failure is a <see cref="SourceException"/> whose message has no secret. Nothing is read from an address that the
/// operator's policy refuses, on any hop of a redirect.
/// </remarks>
public interface ISource
{
    /// <summary>The URL schemes it answers for, in lower case.</summary>
    IReadOnlyCollection<string> Schemes { get; }

    /// <summary>Refuses an address that could never be fetched, without a packet leaving.</summary>
    /// <exception cref="SourceException">Malformed, or refused by policy.</exception>
    void Check(Uri address);

    /// <summary>Begins to read at <paramref name="from"/>, if the source can and still has the same file; else at its beginning.</summary>
    /// <param name="from">How many bytes are here already.</param>
    /// <param name="validator">The <see cref="SourceReading.Validator"/> of the reading that brought them.</param>
    Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken);

    /// <summary>What the source says about the file, without reading it.</summary>
    Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken);
}

/// <summary>The bytes of a source from <see cref="Offset"/> to its end.</summary>
public sealed class SourceReading(Stream body, long offset, long? length, string? validator, bool canResume, IAsyncDisposable connection)
    : IAsyncDisposable
{
    /// <summary>Throws <see cref="SourceException"/> where the connection breaks or stands still; ends where the source ended it.</summary>
    public Stream Body { get; } = body;

    /// <summary>Where the bytes begin: what was asked for, or 0 where the source began again.</summary>
    public long Offset { get; } = offset;

    /// <summary>The length of the whole file; null where the source does not say it.</summary>
    public long? Length { get; } = length;

    public string? Validator { get; } = validator;

    /// <summary>
    /// True where the source says, or has shown, that it gives parts. A later offset may be asked for in any case: a source
    /// that cannot do it begins again at 0.
    /// </summary>
    public bool CanResume { get; } = canResume;

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}

/// <param name="FinalAddress">After all redirects, with everything secret taken out.</param>
/// <param name="Status">The protocol's own status number.</param>
/// <param name="Certificate">The subject and end of the server's certificate; null without TLS.</param>
public sealed record SourceProbe(
    string FinalAddress, int Status, long? Length, string? ContentType, bool CanResume, string? Validator, string? Certificate)
{
    /// <summary>The way on which the source was reached; null where none leads over a network.</summary>
    public SourceRoute? Route { get; init; }
}

/// <summary>The way from this node to a source, or to the proxy before it.</summary>
/// <param name="Address">The address that the source was asked at; null where a proxy looked its name up.</param>
/// <param name="Mtu">The longest packet that the way is known to carry, in bytes; null where the platform does not say.</param>
/// <param name="InterfaceMtu">The longest packet that the node's own interface carries, in bytes; null where the platform does not say.</param>
public sealed record SourceRoute(string? Address, int? Mtu, int? InterfaceMtu);

/// <summary>A source could not be read.</summary>
/// <param name="fault">What kind of failure it is.</param>
/// <param name="message">A sentence without secrets that names the host where it helps.</param>
/// <param name="mayPass">True where the same attempt may succeed later.</param>
public sealed class SourceException(SourceFault fault, string message, bool mayPass, Exception? inner = null)
    : LibraryException(message, inner)
{
    public SourceFault Fault { get; } = fault;

    /// <summary>The same attempt may succeed later.</summary>
    public bool MayPass { get; } = mayPass;

    public override string Code => Fault switch
    {
        SourceFault.MalformedUrl => "source-url",
        SourceFault.Refused => "source-refused",
        SourceFault.Dns => "source-dns",
        SourceFault.Connect => "source-connect",
        SourceFault.ConnectTimeout => "source-connect-timeout",
        SourceFault.Tls => "source-tls",
        SourceFault.Status => "source-status",
        SourceFault.Stalled => "source-stalled",
        SourceFault.Broken => "source-broken",
        SourceFault.TooManyRedirects => "source-redirects",
        SourceFault.Login => "source-login",
        SourceFault.HostKey => "source-host-key",
        _ => throw new InvalidOperationException($"{Fault} has no code."),
    };

    public override string Remedy => Fault switch
    {
        SourceFault.MalformedUrl => "Correct the address: scheme://host[:port]/path/file.",
        SourceFault.Refused => "Use a source that the operator allows, or ask the operator to allow this host or network.",
        SourceFault.Dns => "Check the host's name, and the name servers of the node.",
        SourceFault.Connect => "Check that the server is running and that a route and the firewalls allow the node to reach it.",
        SourceFault.ConnectTimeout => "Check the route and the firewalls between the node and the source.",
        SourceFault.Tls => "Check the server's certificate; if a private authority signed it, add its certificate to the trusted ones.",
        SourceFault.Status => "Open the address yourself: it may have moved, or need a login.",
        SourceFault.Stalled => "The source stopped sending; try again later or use another mirror.",
        SourceFault.Broken => "The connection was cut; try again later or use another mirror.",
        SourceFault.TooManyRedirects => "Give the address that the redirects lead to.",
        SourceFault.Login => "Check the user and the password in the address; without a password, a key has to be set up by the operator.",
        SourceFault.HostKey => "Compare the key's fingerprint with what the server's owner says; the operator adds it to the known hosts if they agree.",
        _ => throw new InvalidOperationException($"{Fault} has no remedy."),
    };
}

public enum SourceFault
{
    MalformedUrl,
    Refused,
    Dns,
    Connect,
    ConnectTimeout,
    Tls,
    Status,
    Stalled,
    Broken,
    TooManyRedirects,
    Login,
    HostKey,
}
