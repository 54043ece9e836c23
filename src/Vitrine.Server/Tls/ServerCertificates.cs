using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vitrine.Access;

namespace Vitrine.Server.Tls;

/// <summary>The certificate by which this node's https addresses are served: the operator's files, or one of the library's own authority.</summary>
internal sealed partial class ServerCertificates(
    ServerOptions options, IAuthorityCatalogue authorities, ISecretProtector seal, TimeProvider time, ILogger<ServerCertificates> logger)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _renewing = new();
    private LibraryAuthority? _authority;
    private volatile Served? _served;

    /// <summary>The own authority's certificate as PEM; null where it is not in use.</summary>
    public string? AuthorityPem => _authority?.Pem;

    /// <summary>What a handshake that begins now is answered with.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            if (_served is { } served && time.GetUtcNow() < served.LookAgainAt)
                return served.Context;

            lock (_renewing)
                return (_served = Renew(_served)).Context;
        }
    }

    /// <summary>What is wrong with the certificate is said at the start, and not to the first client.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.HasHttps)
            return;

        if (options.Tls.Certificate is null)
        {
            _authority = LibraryAuthority.Open(await authorities.FindOrKeepAsync(() => LibraryAuthority.Make(seal, time.GetUtcNow()), cancellationToken), seal);
            LogOwnAuthority(_authority.Fingerprint);
        }

        _ = Current;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _authority?.Dispose();

    private Served Renew(Served? served)
    {
        var now = time.GetUtcNow();
        if (served is not null && now < served.LookAgainAt)
            return served;
        if (_authority is { } authority)
            return new Served(ContextOf(authority.Issue(Names(), now, Lifetime), []), now + (Lifetime * 2 / 3), default);

        var written = File.GetLastWriteTimeUtc(options.Tls.Certificate!);
        if (served is not null && served.Written == written)
            return served with { LookAgainAt = now + LookInterval };

        try
        {
            return new Served(ReadFiles(), now + LookInterval, written);
        }
        catch (Exception failure) when (served is not null && failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // They may be in the middle of being replaced.
            LogFilesRefused(failure, options.Tls.Certificate!);
            return served with { LookAgainAt = now + LookInterval };
        }
    }

    private SslStreamCertificateContext ReadFiles()
    {
        var between = new X509Certificate2Collection();
        between.ImportFromPemFile(options.Tls.Certificate!);
        return ContextOf(X509Certificate2.CreateFromPemFile(options.Tls.Certificate!, options.Tls.Key), [.. between.Skip(1)]);
    }

    private static SslStreamCertificateContext ContextOf(X509Certificate2 certificate, X509Certificate2Collection between) =>
        SslStreamCertificateContext.Create(certificate, between, offline: true);

    /// <summary>All under which somebody could reach this node, as far as it knows.</summary>
    private List<string> Names() =>
    [
        .. new[] { Environment.MachineName, "localhost", IPAddress.Loopback.ToString(), IPAddress.IPv6Loopback.ToString() }
            .Concat(options.Addresses.Append(options.PublicUrl is { } url ? new Uri(url) : null).OfType<Uri>().Select(a => a.Host.Trim('[', ']')))
            .Concat(OwnAddresses())
            .Concat(options.Tls.Names)
            .Where(name => Uri.CheckHostName(name) is not UriHostNameType.Unknown && !IsAny(name))
            .Distinct(StringComparer.OrdinalIgnoreCase),
    ];

    private static bool IsAny(string name) => IPAddress.TryParse(name, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    private static IEnumerable<string> OwnAddresses() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        where network.OperationalStatus is OperationalStatus.Up
        from address in network.GetIPProperties().UnicastAddresses
        where address.Address is { AddressFamily: AddressFamily.InterNetwork } or { AddressFamily: AddressFamily.InterNetworkV6, IsIPv6LinkLocal: false }
        select address.Address.ToString();

    [LoggerMessage(LogLevel.Information, "https is served by the library's own authority (/ca.pem), whose SHA-256 fingerprint is {Fingerprint}")]
    private partial void LogOwnAuthority(string fingerprint);

    [LoggerMessage(LogLevel.Error, "The certificate in {Path} cannot be used; the one before is served on")]
    private partial void LogFilesRefused(Exception failure, string path);

    /// <param name="LookAgainAt">When it is renewed, or the files are looked at.</param>
    /// <param name="Written">When the files were written.</param>
    private sealed record Served(SslStreamCertificateContext Context, DateTimeOffset LookAgainAt, DateTime Written);
}
