using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Vitrine.Sources.Outgoing;

/// <summary>Says about certificates what a person needs to know to put them right.</summary>
/// <remarks>What stands in a certificate was written by a stranger: it is shortened, and only plain letters of it are shown.</remarks>
internal static class CertificateText
{
    private const int MaxNames = 5;
    private const int MaxLength = 100;

    /// <summary>The subject and the end, for people.</summary>
    public static string? Describe(X509Certificate? certificate) => certificate is X509Certificate2 known
        ? $"{Plain(known.Subject)}, valid until {Day(known.NotAfter)}"
        : null;

    public static string Explain(
        OutgoingTarget target, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (certificate is not X509Certificate2 known)
            return $"{target.Host} shows no certificate.";

        return $"The certificate of {target.Host} {Reason(target, known, chain, errors, now)}.";
    }

    private static string Reason(OutgoingTarget target, X509Certificate2 known, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (known.NotAfter.ToUniversalTime() < now.UtcDateTime)
            return $"expired on {Day(known.NotAfter)}";

        if (known.NotBefore.ToUniversalTime() > now.UtcDateTime)
            return $"is not valid before {Day(known.NotBefore)}";

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"is not for {target.Host}; it is for {Names(known)}";

        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        return status switch
        {
            _ when status.HasFlag(X509ChainStatusFlags.NotTimeValid) => "was signed by an authority whose own certificate is not valid at this time",
            _ when known.SubjectName.RawData.AsSpan().SequenceEqual(known.IssuerName.RawData) => "is self-signed, and not one of the trusted ones",
            _ when status.HasFlag(X509ChainStatusFlags.UntrustedRoot) || status.HasFlag(X509ChainStatusFlags.PartialChain) =>
                $"was signed by an authority that is not trusted: {Plain(known.Issuer)}",
            _ when status.HasFlag(X509ChainStatusFlags.NotValidForUsage) => "is not meant for servers",
            _ => $"is not valid: {status}",
        };
    }

    private static string Names(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString())))
            .Select(Plain)
            .ToList();
        if (names.Count == 0)
            return "no host at all";

        return string.Join(", ", names.Take(MaxNames)) + (names.Count > MaxNames ? $" and {names.Count - MaxNames} more" : "");
    }

    private static string Day(DateTime local) => local.ToUniversalTime().ToString("yyyy-MM-dd");

    private static string Plain(string text)
    {
        var shown = string.Concat(text.Take(MaxLength).Select(c => c is >= ' ' and <= '~' ? c : '?'));
        return text.Length > MaxLength ? shown + "…" : shown;
    }
}
