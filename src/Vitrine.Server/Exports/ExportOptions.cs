using System.Net;
using Microsoft.Extensions.Options;

namespace Vitrine.Server.Exports;

/// <summary>The section <c>Nbd</c>: where the disks of images are offered as block devices.</summary>
public sealed class ExportOptions
{
    /// <summary>Another end of a path would be cut off: the platform has room for this many bytes.</summary>
    private const int MaxSocketPath = 107;

    /// <summary>Addresses with ports, as <c>127.0.0.1:10809</c>. Default: none, only the socket.</summary>
    public IReadOnlyList<string> Listen { get; set; } = [];

    /// <summary>A unix socket for programs of this node. Default: <c>nbd.sock</c> in the data directory; empty for none.</summary>
    public string? Socket { get; set; }

    /// <summary>A PEM file with the server's certificate and those that lead to it. With it, TCP is served with TLS alone.</summary>
    public string? Certificate { get; set; }

    /// <summary>A PEM file with the certificate's key.</summary>
    public string? CertificateKey { get; set; }

    /// <summary>Lets tickets and disks pass unencrypted to other machines. Only for a network that nobody else is on. Default: no.</summary>
    public bool AllowPlain { get; set; }

    internal IReadOnlyList<IPEndPoint> Addresses => [.. Listen.Select(text => IPEndPoint.TryParse(text, out var found)
        ? found
        : throw Refused($"Nbd:Listen has {text}: write an address and a port, as 127.0.0.1:10809."))];

    internal string? SocketPath(ServerOptions server) => Socket switch
    {
        "" => null,
        null when server.PathOf("nbd.sock") is var path => path.Length <= MaxSocketPath ? path : null,
        var path when path.Length <= MaxSocketPath => Path.GetFullPath(path),
        _ => throw Refused($"Nbd:Socket is longer than the {MaxSocketPath} bytes that a socket's path may have."),
    };

    /// <exception cref="OptionsValidationException">Something would pass unencrypted.</exception>
    internal void Check()
    {
        if (Certificate is null && !AllowPlain && Addresses.FirstOrDefault(a => !IPAddress.IsLoopback(a.Address)) is { } open)
        {
            throw Refused(
                $"Nbd:Listen has {open}: tickets and disks would pass unencrypted over the network. Set Nbd:Certificate and Nbd:CertificateKey, or Nbd:AllowPlain.");
        }
    }

    private static OptionsValidationException Refused(string reason) => new("Nbd", typeof(ExportOptions), [reason]);
}
