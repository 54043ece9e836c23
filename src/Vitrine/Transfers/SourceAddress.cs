namespace Vitrine.Transfers;

/// <summary>How addresses of sources may be shown and compared.</summary>
public static class SourceAddress
{
    /// <summary>The longest address that is taken, in characters; signed addresses of object stores stay far below.</summary>
    public const int MaxLength = 8192;

    private const UriComponents Public = UriComponents.SchemeAndServer | UriComponents.Path;

    /// <summary>
    /// The address for people, logs and listings: without user and password, and without the values of its query, which
    /// may be a signature that opens the file to whoever has it.
    /// </summary>
    public static string Redact(Uri address) =>
        address.GetComponents(Public, UriFormat.UriEscaped) + (address.Query.Length > 1 ? "?…" : "");

    /// <summary>The address by which two sources are told to be the same.</summary>
    public static string WithoutCredentials(Uri address) =>
        address.GetComponents(Public | UriComponents.Query, UriFormat.UriEscaped);
}
