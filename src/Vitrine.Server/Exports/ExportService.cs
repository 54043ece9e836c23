using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Vitrine.Disks;
using Vitrine.Nbd;

namespace Vitrine.Server.Exports;

/// <summary>Offers the disks of images as block devices while the server runs.</summary>
internal sealed class ExportService(ExportOptions options, ServerOptions server, TicketExports exports, TimeProvider time, ILogger<NbdServer> logger)
    : IHostedService, IAsyncDisposable
{
    private NbdServer? _server;
    private X509Certificate2? _certificate;

    /// <summary>Where a client finds the disk that a ticket is for.</summary>
    /// <param name="host">By which name the client knows this node.</param>
    public IReadOnlyList<string> AddressesOf(DiskTicket ticket, string host)
    {
        var name = Uri.EscapeDataString(ticket.Value);
        var scheme = options.Certificate is null ? "nbd" : "nbds";
        return
        [
            .. (_server?.Endpoints ?? []).Select(endpoint => endpoint is IPEndPoint tcp
                ? $"{scheme}://{(IPAddress.Any.Equals(tcp.Address) || IPAddress.IPv6Any.Equals(tcp.Address) ? host : Host(tcp))}:{tcp.Port}/{name}"
                : $"nbd+unix:///{name}?socket={Uri.EscapeDataString(endpoint.ToString()!)}"),
        ];
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        List<EndPoint> endpoints = [.. options.Addresses];
        if (options.SocketPath(server) is { } path)
            endpoints.Add(new UnixDomainSocketEndPoint(path));
        if (endpoints.Count == 0)
            return Task.CompletedTask;

        _certificate = options.Certificate is { } file ? X509Certificate2.CreateFromPemFile(file, options.CertificateKey) : null;
        var terms = new NbdServerOptions
        {
            Endpoints = endpoints,
            Certificate = _certificate,
            Tls = _certificate is null ? NbdTls.Off : NbdTls.Required,
        };
        _server = new NbdServer(terms, exports, time, logger);
        _server.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is { } running)
            await running.DisposeAsync();
        _server = null;
        _certificate?.Dispose();
    }

    private static string Host(IPEndPoint endpoint) =>
        endpoint.AddressFamily is AddressFamily.InterNetworkV6 ? $"[{endpoint.Address}]" : endpoint.Address.ToString();
}

internal static class ExportServices
{
    public static IServiceCollection AddDiskExports(this IServiceCollection services, IConfiguration configuration)
    {
        var options = configuration.GetSection("Nbd").Get<ExportOptions>() ?? new ExportOptions();
        options.Check();
        services.AddSingleton(options);
        services.AddSingleton<TicketExports>();
        services.AddSingleton<ExportService>();
        return services.AddHostedService(provider => provider.GetRequiredService<ExportService>());
    }
}
