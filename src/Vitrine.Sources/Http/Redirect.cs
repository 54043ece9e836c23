using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.Sources.Http;

/// <summary>Where an answer sends us on to, and with what we may go there.</summary>
internal static class Redirect
{
    /// <exception cref="SourceException">There is no address, or one that leads from TLS to plain HTTP.</exception>
    public static Uri Read(Uri from, HttpExchange exchange)
    {
        var text = exchange.Header("Location");
        if (text is null || text.Length > SourceAddress.MaxLength || !TryRead(from, text, out var next))
            throw new SourceException(
                SourceFault.Status, $"{exchange.Target.Host} answered {HttpFailures.Told(exchange.Status)} without an address to go to.", mayPass: false);

        // A login that a stranger put into an address is not one that its user meant to send.
        next = WithoutLogin(next);
        return from.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps
            ? throw new SourceException(
                SourceFault.Refused, $"{exchange.Target.Host} redirects from https to {next.Scheme}, where nothing proves who answers.", mayPass: false)
            : next;
    }

    /// <summary>The login was meant for the host it stood before: it goes to no other, nor to another program at another port.</summary>
    public static bool KeepsLogin(OutgoingTarget from, OutgoingTarget to) =>
        from.Host == to.Host && (from.Port == to.Port || (from is { IsTls: false, Port: 80 } && to is { IsTls: true, Port: 443 }));

    // On this system a path that begins with a slash would be read as an absolute file: address.
    private static bool TryRead(Uri from, string text, out Uri next)
    {
        next = from;
        if (text.Any(c => char.IsControl(c) || c == '\\'))
            return false;

        var absolute = !text.StartsWith('/') && Uri.TryCreate(text, UriKind.Absolute, out _);
        var read = absolute ? Uri.TryCreate(text, UriKind.Absolute, out var found) : Uri.TryCreate(from, text, out found);
        next = found ?? from;
        return read;
    }

    /// <summary>Cuts in the text, since a rebuilt address would hide how the host was spelt.</summary>
    private static Uri WithoutLogin(Uri address)
    {
        if (address.UserInfo.Length == 0)
            return address;

        var text = address.OriginalString;
        var start = text.IndexOf("//", StringComparison.Ordinal) + 2;
        return new Uri(text.Remove(start, text.IndexOf('@', start) + 1 - start));
    }
}
