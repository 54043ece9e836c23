using System.Diagnostics.CodeAnalysis;

namespace Vitrine.Sources.Outgoing;

/// <summary>The proxy that the operator set: who it is, and our login there.</summary>
internal sealed record ProxyAddress(string Host, int Port, BasicLogin? Login)
{
    public static bool TryParse(string text, [NotNullWhen(true)] out ProxyAddress? proxy)
    {
        proxy = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp
            || address.PathAndQuery != "/" || !OutgoingTarget.TryRead(address, out var target, out _))
        {
            return false;
        }

        proxy = new ProxyAddress(target.Host, target.Port, BasicLogin.Of(address));
        return true;
    }

    // The default would print the login.
    public override string ToString() => $"{Host}:{Port}";
}
