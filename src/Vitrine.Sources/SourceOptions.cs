namespace Vitrine.Sources;

/// <summary>The section <c>Sources</c>: where this service may fetch from, and how.</summary>
/// <remarks>
/// Without any of it, every host of the public internet may be fetched from by HTTP, HTTPS and FTP at any port, and nothing else:
/// loopback, private, link-local and other special addresses are refused in all their spellings, and so are the addresses of
/// the machine itself.
/// </remarks>
public sealed class SourceOptions
{
    public const string Section = "Sources";

    /// <summary>
    /// Hosts that may be fetched from although their addresses are inner ones: names (<c>mirror.corp</c>), names below a domain
    /// (<c>*.mirrors.corp</c>) or addresses (<c>10.1.2.3</c>). Whoever answers for these names in the DNS is trusted.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Inner networks that may be fetched from, by any name: <c>10.20.0.0/16</c>, <c>fd00:1::/64</c>.</summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>
    /// Where it has an entry, every other host is refused before a packet leaves: the known mirrors. Spelt as
    /// <see cref="AllowedHosts"/>. A mirror with an inner address has to be in <see cref="AllowedHosts"/> or
    /// <see cref="AllowedNetworks"/> as well.
    /// </summary>
    public IList<string> OnlyHosts { get; } = [];

    /// <summary>Where it has an entry, every other scheme is refused: <c>https</c>. Empty: http, https, ftp and sftp.</summary>
    public IList<string> AllowedSchemes { get; } = [];

    /// <summary>
    /// Where it has an entry, every other port is refused. Empty: any port, as mirrors and object stores listen where they
    /// like. The ports that FTP servers name for the data themselves are not held against it. 80 and 443 alone is the stricter choice where users are not trusted to leave odd ports alone.
    /// </summary>
    public IList<int> AllowedPorts { get; } = [];

    /// <summary>
    /// Directories of the nodes whose files may be imported by <c>file:///path/file</c>, by everybody who may import at all.
    /// Links and mounts that lead out of them are not followed. Empty: no file of a node is read.
    /// </summary>
    public IList<string> Directories { get; } = [];

    /// <summary>
    /// A file of the host keys that are known, as ssh writes it; ssh-keyscan can make one. A host whose key is not in it is
    /// refused. Empty: nothing is fetched by SFTP.
    /// </summary>
    public string? KnownHosts { get; set; }

    /// <summary>The keys for addresses with a user and no password: <c>sftp://user@host/path/file</c>.</summary>
    public IList<SftpKey> SftpKeys { get; } = [];

    /// <summary>The logins for <c>s3://</c> addresses.</summary>
    public IList<S3Credential> S3Credentials { get; } = [];

    /// <summary>Other libraries, for <c>vitrine://</c> addresses.</summary>
    public IList<LibraryCredential> Libraries { get; } = [];

    /// <summary>
    /// A file of the public keys of publishers, as <c>gpg --export</c> writes it. Where it is set, checksums that are looked for
    /// beside a file count only with a signature by one of these keys. Empty: they count as the publisher's server gives them.
    /// </summary>
    public string? ChecksumKeyring { get; set; }

    /// <summary>Files with PEM certificates of authorities that are trusted beside those of the system.</summary>
    public IList<string> TrustedCertificates { get; } = [];

    /// <summary>
    /// The HTTP proxy that everything goes through: <c>http://[user:password@]host:port</c>. Proxies of the environment are
    /// never used, because they would see to it that nobody checks where a name leads.
    /// </summary>
    public string? Proxy { get; set; }

    /// <summary>
    /// False: names are resolved and checked here, and the proxy is asked for tunnels (<c>CONNECT</c>) to the checked addresses,
    /// so it cannot be led to another one, and cannot cache. True: the proxy is given names, may cache plain HTTP, and has to
    /// refuse inner networks itself. Default: false.
    /// </summary>
    public bool ProxyResolves { get; set; }

    /// <summary>
    /// How long to try to reach a host: for its name, then for all of its addresses together, then for its TLS handshake, or its
    /// login by FTP or SFTP.
    /// Default: 10 seconds.
    /// </summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connected host may take to begin its answer. Default: 30 seconds.</summary>
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a body may bring nothing; any byte begins the wait anew. Default: 60 seconds.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(60);
}
