using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vitrine.Access;

namespace Vitrine.Server.Tls;

/// <summary>The library's own authority, which vouches for its nodes, so that clients need to trust one certificate and no exception.</summary>
/// <remarks>Profile of RFC 5280: both certificates have key identifiers and key usages, as strict verifiers demand.</remarks>
internal sealed class LibraryAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const int SerialLength = 16;

    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);

    /// <summary>Clocks differ.</summary>
    private static readonly TimeSpan Backdating = TimeSpan.FromHours(1);

    private readonly X509Certificate2 _certificate;

    private LibraryAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>What clients are to trust.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>The SHA-256 of the certificate, in upper-case hexadecimal digits with colons, as tools print it.</summary>
    public string Fingerprint => string.Join(':', _certificate.GetCertHash(HashAlgorithmName.SHA256).Select(b => b.ToString("X2")));

    /// <summary>Makes a new authority, to be kept.</summary>
    public static StoredAuthority Make(ISecretProtector seal, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Vitrine library {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now - Backdating, now + AuthorityLifetime);
        return new StoredAuthority(certificate.ExportCertificatePem(), seal.Protect(key.ExportPkcs8PrivateKeyPem()));
    }

    /// <exception cref="CryptographicException">The keys that sealed it are not those of this node.</exception>
    public static LibraryAuthority Open(StoredAuthority stored, ISecretProtector seal) =>
        new(X509Certificate2.CreateFromPem(stored.Certificate, seal.Unprotect(stored.SealedKey)));

    /// <summary>A certificate for a server, with its key.</summary>
    /// <param name="names">Under which clients reach it: names and addresses.</param>
    public X509Certificate2 Issue(IReadOnlyCollection<string> names, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names.First()}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(Alternatives(names));
        using var signed = request.Create(_certificate, now - Backdating, now + lifetime, RandomNumberGenerator.GetBytes(SerialLength));
        return signed.CopyWithPrivateKey(key);
    }

    public void Dispose() => _certificate.Dispose();

    private static X509Extension Alternatives(IEnumerable<string> names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                builder.AddIpAddress(address);
            else
                builder.AddDnsName(name);
        }

        return builder.Build();
    }
}
