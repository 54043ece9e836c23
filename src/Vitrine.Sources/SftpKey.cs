using Vitrine.Sources.Outgoing;

namespace Vitrine.Sources;

/// <summary>A key by which this service logs in as one user at one host, set up by the operator beforehand.</summary>
/// <remarks>Whoever may import may then fetch what that user may read there.</remarks>
public sealed class SftpKey
{
    /// <summary>Spelt as <see cref="SourceOptions.AllowedHosts"/>.</summary>
    public string Host { get; set; } = "";

    public string User { get; set; } = "";

    /// <summary>A file with a private key without a passphrase: Ed25519 as OpenSSH writes it, or ECDSA in PEM.</summary>
    public string PrivateKey { get; set; } = "";

    internal bool IsFor(string host, string user) => user == User && HostPattern.TryParse(Host, out var pattern) && pattern.Matches(host);
}
