using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Vitrine.Testing.Sources;

/// <summary>An authority that nobody trusts until told to, and the certificates it signs, right and wrong.</summary>
public sealed class TestAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);
    private readonly List<X509Certificate2> _issued = [];

    private TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    public X509Certificate2 Certificate { get; }

    public static TestAuthority Create(string name = "Test Authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return new TestAuthority(AuthorityRequest(name, key).CreateSelfSigned(now - Lifetime * 12, now + Lifetime * 12));
    }

    /// <summary>A certificate that vouches for itself.</summary>
    public static X509Certificate2 SelfSigned(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return ServerRequest(names, key, informedBy: null).CreateSelfSigned(now - Lifetime, now + Lifetime);
    }

    /// <summary>A certificate for servers of these names or addresses, with its key.</summary>
    /// <param name="notAfter">Its end; the beginning lies thirty days before that.</param>
    /// <param name="informedBy">Where the certificate says that its authority's certificate may be fetched.</param>
    public X509Certificate2 Issue(string[] names, DateTimeOffset? notAfter = null, Uri? informedBy = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var end = notAfter ?? TimeProvider.System.GetUtcNow() + Lifetime / 2;
        using var signed = ServerRequest(names, key, informedBy).Create(Certificate, end - Lifetime, end, Serial());
        return Keep(signed.CopyWithPrivateKey(key));
    }

    /// <summary>An authority below this one.</summary>
    public TestAuthority IssueAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var signed = AuthorityRequest(name, key).Create(Certificate, now - Lifetime, now + Lifetime, Serial());
        return new TestAuthority(signed.CopyWithPrivateKey(key));
    }

    /// <summary>Writes the authority's certificate, without its key, for options that name files.</summary>
    public string WritePem(DirectoryInfo directory)
    {
        var path = Path.Combine(directory.FullName, $"{Guid.NewGuid():N}.pem");
        File.WriteAllText(path, Certificate.ExportCertificatePem());
        return path;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _issued.ForEach(certificate => certificate.Dispose());
    }

    private X509Certificate2 Keep(X509Certificate2 certificate)
    {
        _issued.Add(certificate);
        return certificate;
    }

    private static byte[] Serial() => RandomNumberGenerator.GetBytes(16);

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request;
    }

    private static CertificateRequest ServerRequest(string[] names, ECDsa key, Uri? informedBy)
    {
        var request = new CertificateRequest($"CN={names.FirstOrDefault() ?? "nobody"}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        if (names.Length > 0)
            request.CertificateExtensions.Add(Alternatives(names));
        if (informedBy is not null)
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [informedBy.ToString()]));
        return request;
    }

    private static X509Extension Alternatives(string[] names)
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
