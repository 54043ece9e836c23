using System.Text;
using Vitrine.Transfers;

namespace Vitrine.Sources.Outgoing;

/// <summary>Asks a proxy for a tunnel: CONNECT, RFC 9110 section 9.3.6.</summary>
internal static class ProxyTunnel
{
    private const int MaxAnswer = 16 * 1024;

    /// <exception cref="SourceException">The proxy does not want to.</exception>
    public static async Task OpenAsync(Stream stream, ProxyAddress proxy, string authority, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Request(proxy, authority)), cancellationToken);
        var status = StatusOf(await ReadHeadAsync(stream, cancellationToken));
        if (status is >= 200 and < 300)
            return;

        throw status switch
        {
            null => new SourceException(SourceFault.Connect, $"The proxy {proxy} does not speak HTTP.", mayPass: false),
            407 => new SourceException(SourceFault.Connect, $"The proxy {proxy} wants another login.", mayPass: false),
            >= 500 => new SourceException(SourceFault.Connect, $"The proxy {proxy} could not reach the source; it answered {status}.", mayPass: true),
            _ => new SourceException(SourceFault.Connect, $"The proxy {proxy} refuses to reach the source; it answered {status}.", mayPass: false),
        };
    }

    private static string Request(ProxyAddress proxy, string authority)
    {
        var login = proxy.Login is { } known ? $"Proxy-Authorization: {BasicLogin.Scheme} {known.Parameter}\r\n" : "";
        return $"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{login}\r\n";
    }

    /// <summary>Reads byte by byte, as whatever follows the empty line belongs to the tunnel.</summary>
    private static async Task<string> ReadHeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new byte[MaxAnswer];
        var length = 0;
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            if (length == head.Length || await stream.ReadAsync(head.AsMemory(length, 1), cancellationToken) == 0)
                throw new IOException("The proxy's answer has no end.");
            length++;
        }

        return Encoding.ASCII.GetString(head, 0, length);
    }

    // HTTP/1.1 200 Connection established
    private static int? StatusOf(string head)
    {
        var parts = head.Split(' ', 3);
        return parts.Length > 1 && parts[0].StartsWith("HTTP/1.", StringComparison.Ordinal)
            && int.TryParse(parts[1].AsSpan(0, Math.Min(3, parts[1].Length)), out var status)
            ? status
            : null;
    }
}
