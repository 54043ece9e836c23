using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Vitrine.Transfers;

namespace Vitrine.Sources.Outgoing;

/// <summary>Decides whether a server is who it says: the system's authorities, and those that the operator added.</summary>
internal sealed class TlsTrust(SourceOptions options, TimeProvider time)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private readonly X509Certificate2Collection _added = [.. options.TrustedCertificates.SelectMany(Load)];

    public static X509Certificate2Collection Load(string path)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(path);
        return certificates;
    }

    /// <exception cref="SourceException">The handshake failed; the message says what is wrong with the certificate.</exception>
    public async Task<OutgoingConnection> SecureAsync(OutgoingConnection plain, OutgoingTarget target, CancellationToken cancellationToken)
    {
        string? fault = null;
        var secured = new SslStream(plain.Stream);
        using var deadline = new Deadline(options.ConnectTimeout, time, cancellationToken);
        try
        {
            await secured.AuthenticateAsClientAsync(Authentication(target, found => fault = found), deadline.Token);
            return plain with { Stream = secured, Certificate = CertificateText.Describe(secured.RemoteCertificate) };
        }
        catch (Exception error)
        {
            await secured.DisposeAsync();
            if (error is OperationCanceledException && deadline.HasPassed && !cancellationToken.IsCancellationRequested)
                throw new SourceException(SourceFault.ConnectTimeout, $"{target.Host} did not finish the TLS handshake in time.", mayPass: true);
            if (error is AuthenticationException)
                throw new SourceException(
                    SourceFault.Tls, fault ?? $"{target.Host} does not speak TLS at port {target.Port}, or no version that is safe.", mayPass: false);
            if (error is IOException)
                throw new SourceException(SourceFault.Broken, $"{target.Host} broke off the TLS handshake.", mayPass: true, error);
            throw;
        }
    }

    private SslClientAuthenticationOptions Authentication(OutgoingTarget target, Action<string> explain) => new()
    {
        TargetHost = target.Host,
        CertificateChainPolicy = Policy(),
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            if (errors == SslPolicyErrors.None || (errors == SslPolicyErrors.RemoteCertificateChainErrors && IsVouchedFor(certificate, chain)))
                return true;

            explain(CertificateText.Explain(target, certificate, chain, errors, time.GetUtcNow()));
            return false;
        },
    };

    /// <summary>
    /// Nothing is fetched while a chain is built: the addresses for missing links and revocation lists stand in the certificate,
    /// so whoever made it would choose where we connect to, past the policy.
    /// </summary>
    private X509ChainPolicy Policy() => new()
    {
        DisableCertificateDownloads = true,
        RevocationMode = X509RevocationMode.NoCheck,
        VerificationTime = time.GetUtcNow().UtcDateTime,
        ApplicationPolicy = { new(ServerAuthentication) },
    };

    private bool IsVouchedFor(X509Certificate? certificate, X509Chain? sent)
    {
        if (_added.Count == 0 || certificate is not X509Certificate2 server)
            return false;

        using var chain = new X509Chain { ChainPolicy = Policy() };
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_added);
        if (sent is not null)
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        return chain.Build(server);
    }
}
