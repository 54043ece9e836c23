namespace Vitrine.Transfers;

/// <summary>Addresses of sources as people may see them.</summary>
public static class SourceAddress
{
    /// <summary>The longest address that is taken, in characters; signed addresses of object stores stay far below.</summary>
    public const int MaxLength = 8192;

    /// <summary>The address without its login, its query and its fragment, each of which may be a secret.</summary>
    /// <remarks>That there was a query is still told, by <c>?…</c>, because without it the address is another one.</remarks>
    public static string Redact(Uri address)
    {
        if (!address.IsAbsoluteUri)
            return "(a relative address)";

        var authority = address.GetComponents(UriComponents.HostAndPort, UriFormat.UriEscaped);
        var port = address.IsDefaultPort ? $":{address.Port}" : "";
        if (port.Length > 0 && authority.EndsWith(port, StringComparison.Ordinal))
            authority = authority[..^port.Length];

        return $"{address.Scheme}://{authority}{address.AbsolutePath}{(address.Query.Length > 1 ? "?…" : "")}";
    }

    /// <summary>Reads what somebody typed. Whether it may be fetched is for <see cref="ISource.Check"/> to say.</summary>
    /// <exception cref="SourceException">It is no absolute address; the message does not repeat it, as it may hold a password.</exception>
    public static Uri Parse(string? text)
    {
        var trimmed = text?.Trim() ?? "";
        return trimmed.Length is > 0 and <= MaxLength && trimmed.Contains("://") && Uri.TryCreate(trimmed, UriKind.Absolute, out var address)
            ? address
            : throw new SourceException(SourceFault.MalformedUrl, "The address of the source is not a URL.", mayPass: false);
    }
}
