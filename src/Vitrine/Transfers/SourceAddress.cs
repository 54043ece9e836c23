namespace Vitrine.Transfers;

/// <summary>How addresses of sources are shown and compared.</summary>
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

    /// <summary>The address by which two sources are told to be the same.</summary>
    public static string WithoutCredentials(Uri address) => address.GetComponents(
        UriComponents.SchemeAndServer | UriComponents.PathAndQuery, UriFormat.UriEscaped);
}
