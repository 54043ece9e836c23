using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Vitrine.Transfers;

namespace Vitrine.Sources.Outgoing;

/// <summary>Whom an address leads to, in the one spelling that checks, lookups and certificates all use.</summary>
/// <param name="Host">A name in lower case and ASCII without a dot at its end, or an address as .NET writes it.</param>
/// <param name="Literal">The address, where the host is one.</param>
internal sealed record OutgoingTarget(string Scheme, string Host, IPAddress? Literal, int Port)
{
    private const string AfterScheme = "://";
    private const string Punycode = "xn--";
    private const int SftpPort = 22;

    public bool IsSftp => Scheme == Uri.UriSchemeSftp;

    public bool IsPlainHttp => Scheme == Uri.UriSchemeHttp;

    public bool IsTls => Scheme == Uri.UriSchemeHttps;

    /// <summary>The host as it stands before a port in a header.</summary>
    public string Bracketed => Literal?.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{Host}]" : Host;

    public string Authority => $"{Bracketed}:{Port}";

    /// <summary>
    /// Reads strictly: what two programs could read as two different hosts is refused, not repaired. The framework's own
    /// reading has to agree with ours, letter by letter.
    /// </summary>
    /// <param name="fault">A sentence that repeats nothing of the address.</param>
    public static bool TryRead(Uri address, [NotNullWhen(true)] out OutgoingTarget? target, [NotNullWhen(false)] out string? fault)
    {
        target = null;
        fault = FaultOf(address) ?? Read(address, out target);
        return target is not null && fault is null;
    }

    /// <summary>Takes an address in its one canonical spelling only: no octal, no hexadecimal, no missing parts, no zone.</summary>
    public static bool TryReadLiteral(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        if (text.Contains('%') || text.Contains('[') || !IPAddress.TryParse(text, out var parsed))
            return false;

        if (parsed.AddressFamily == AddressFamily.InterNetwork && parsed.ToString() != text)
            return false;

        address = InnerNetworks.Unwrap(parsed);
        return true;
    }

    private static string? FaultOf(Uri address)
    {
        if (!address.IsAbsoluteUri)
            return "The address is not absolute.";

        var text = address.OriginalString;
        if (text.Length > SourceAddress.MaxLength)
            return $"The address is longer than {SourceAddress.MaxLength} characters.";

        // Some programs take a backslash for a slash, others for a letter of the login.
        return text.Any(c => char.IsControl(c) || c == '\\') ? "The address has a backslash or a control character in it." : null;
    }

    private static string? Read(Uri address, out OutgoingTarget? target)
    {
        target = null;
        var text = address.OriginalString.Trim();
        if (!text.StartsWith(address.Scheme + AfterScheme, StringComparison.OrdinalIgnoreCase))
            return "The address has no host after its scheme.";

        var authority = AuthorityOf(text[(address.Scheme.Length + AfterScheme.Length)..]);
        if (authority.Count(c => c == '@') > 1)
            return "The address has more than one @ before its path.";

        var (host, port) = SplitPort(authority[(authority.IndexOf('@') + 1)..]);
        if (port is not null && (port.Length is 0 or > 5 || !port.All(char.IsAsciiDigit) || int.Parse(port) != PortOf(address)))
            return "The address has no valid port.";

        if (PortOf(address) is < 1 or > 65_535)
            return "The address has no valid port.";

        target = host.StartsWith('[') ? ReadV6(address, host) : ReadName(address, host);
        return target is null ? "The address has no valid host: neither a name nor an IP address in its usual spelling." : null;
    }

    /// <summary>The framework does not know the usual port of every scheme that we do.</summary>
    private static int PortOf(Uri address) => address is { Port: -1, Scheme: var scheme } && scheme == Uri.UriSchemeSftp ? SftpPort : address.Port;

    private static string AuthorityOf(string rest)
    {
        var end = rest.AsSpan().IndexOfAny('/', '?', '#');
        return end < 0 ? rest : rest[..end];
    }

    private static (string Host, string? Port) SplitPort(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 || text.EndsWith(']') ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }

    private static OutgoingTarget? ReadV6(Uri address, string host) =>
        host.EndsWith(']') && TryReadLiteral(host[1..^1], out var literal)
            && IPAddress.TryParse(address.IdnHost, out var theirs) && InnerNetworks.Unwrap(theirs).Equals(literal)
            ? new OutgoingTarget(address.Scheme, literal.ToString(), literal, PortOf(address))
            : null;

    private static OutgoingTarget? ReadName(Uri address, string host)
    {
        var written = host.ToLowerInvariant();
        var name = address.IdnHost.ToLowerInvariant();

        // Letters of other scripts have to stay letters: a name that becomes plain by dropping or mapping them poses as another.
        if (Ascii.IsValid(written) ? written != name : !name.Contains(Punycode))
            return null;

        if (TryReadLiteral(name, out var literal))
            return new OutgoingTarget(address.Scheme, literal.ToString(), literal, PortOf(address));

        if (name.EndsWith('.'))
            name = name[..^1];

        return HostName.IsValid(name) ? new OutgoingTarget(address.Scheme, name, Literal: null, PortOf(address)) : null;
    }
}
