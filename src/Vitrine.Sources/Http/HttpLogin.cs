using Vitrine.Sources.Outgoing;

namespace Vitrine.Sources.Http;

/// <summary>What proves who asks, as a header.</summary>
internal sealed record HttpLogin(string Header, string Value)
{
    private const string Authorization = "Authorization";

    public static HttpLogin Basic(string parameter) => new(Authorization, $"{BasicLogin.Scheme} {parameter}");

    public static HttpLogin Bearer(string token) => new(Authorization, $"Bearer {token}");

    /// <summary>A token of Keystone.</summary>
    public static HttpLogin OpenStack(string token) => new("X-Auth-Token", token);

    // The default would print the secret.
    public override string ToString() => Header;
}
