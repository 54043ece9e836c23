using System.Text;

namespace Vitrine.Sources.Outgoing;

/// <summary>The login that stands before the host of an address, for basic authentication (RFC 7617).</summary>
internal sealed record BasicLogin
{
    public const string Scheme = "Basic";
    private readonly string _credentials;

    private BasicLogin(string credentials) => _credentials = credentials;

    /// <summary>What follows the scheme in the header.</summary>
    public string Parameter => Convert.ToBase64String(Encoding.UTF8.GetBytes(_credentials));

    public static BasicLogin? Of(Uri address)
    {
        if (address.UserInfo.Length == 0)
            return null;

        // A colon that is percent-encoded belongs to the name or the password, so the two are parted first.
        var parts = address.UserInfo.Split(':', 2);
        return new BasicLogin($"{Uri.UnescapeDataString(parts[0])}:{(parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "")}");
    }

    public override string ToString() => "(a login)";
}
