using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Vitrine.Client;

/// <summary>The authority that a library has of its own, as it publishes it.</summary>
public static class PublishedAuthority
{
    private const int MaxLength = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Fetches the authority's certificate, which is to be trusted if it is the one that was expected.</summary>
    /// <remarks>The connection proves nothing; the fingerprint does.</remarks>
    /// <param name="address">The root of the server.</param>
    /// <param name="fingerprint">The certificate's SHA-256 in hexadecimal digits, with or without colons, as the server logs it.</param>
    /// <returns>The certificate as PEM.</returns>
    public static async Task<string> FetchAsync(Uri address, string fingerprint, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                // Who vouches for the server is what is to be found out.
                RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) is SslPolicyErrors.None,
            },
        })
        {
            MaxResponseContentBufferSize = MaxLength,
            Timeout = Patience,
        };
        try
        {
            var pem = await http.GetStringAsync(new Uri(address, "/ca.pem"), cancellationToken);
            using var certificate = X509Certificate2.CreateFromPem(pem);
            var found = certificate.GetCertHashString(HashAlgorithmName.SHA256);
            return string.Equals(found, fingerprint.Replace(":", "", StringComparison.Ordinal).Trim(), StringComparison.OrdinalIgnoreCase)
                ? certificate.ExportCertificatePem() + "\n"
                : throw new LibraryClientException(
                    ClientCodes.ChecksumMismatch, $"The authority of {address.Authority} has the fingerprint {found}, not the expected one.",
                    "Compare with what the server logged at its start: somebody else may have answered.");
        }
        catch (Exception failure) when (failure is HttpRequestException or SocketException or CryptographicException or ArgumentException
            || (failure is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new LibraryClientException(
                ClientCodes.Unreachable, $"{address.Authority} gives no authority of its own: {failure.GetBaseException().Message.TrimEnd('.')}.",
                "Check the address; a server with a certificate of another authority needs no fingerprint, or --cacert FILE.", failure);
        }
    }
}
