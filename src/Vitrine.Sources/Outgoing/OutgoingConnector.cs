using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Vitrine.Transfers;

namespace Vitrine.Sources.Outgoing;

/// <summary>Opens every connection that leaves this service for an address that somebody gave it.</summary>
/// <remarks>
/// A name is looked up once; all of its addresses are checked; the connection goes to one of the very addresses that were
/// checked. Nothing is kept open for a later caller, so no connection outlives the check that allowed it.
/// </remarks>
internal sealed partial class OutgoingConnector(
    OutgoingPolicy policy, INetwork network, TlsTrust trust, SourceOptions options, TimeProvider time, ILogger<OutgoingConnector> logger)
{
    private readonly ProxyAddress? _proxy = options.Proxy is { } text && ProxyAddress.TryParse(text, out var proxy) ? proxy : null;

    /// <summary>The proxy that is to be given whole requests instead of tunnels, for this target; null for none.</summary>
    public ProxyAddress? ForwardingProxy(OutgoingTarget target) => options.ProxyResolves && target.IsPlainHttp ? _proxy : null;

    /// <param name="target">One that the policy has allowed by its name.</param>
    /// <exception cref="SourceException">Refused, not found, not reachable or not who it should be.</exception>
    public async Task<OutgoingConnection> OpenAsync(OutgoingTarget target, CancellationToken cancellationToken)
    {
        var connection = await DialAsync(target, cancellationToken);
        try
        {
            return target.IsTls ? await trust.SecureAsync(connection, target, cancellationToken) : connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens one more connection to the very address of another one, at a port that the server chose.</summary>
    public Task<OutgoingConnection> OpenBesideAsync(
        OutgoingConnection first, OutgoingTarget target, int port, CancellationToken cancellationToken) =>
        OpenAsync(target with { Literal = first.Address, Port = port }, cancellationToken);

    private async Task<OutgoingConnection> DialAsync(OutgoingTarget target, CancellationToken cancellationToken)
    {
        if (_proxy is null)
            return await ConnectAsync(target.Host, target.Port, await ResolveCheckedAsync(target, cancellationToken), cancellationToken);

        if (options.ProxyResolves)
            return new(await DialProxyAsync(_proxy, target.IsPlainHttp ? null : target.Authority, cancellationToken), Address: null, Certificate: null);

        var addresses = await ResolveCheckedAsync(target, cancellationToken);
        return new(
            await DialProxyAsync(_proxy, new IPEndPoint(addresses[0], target.Port).ToString(), cancellationToken), addresses[0], Certificate: null);
    }

    /// <param name="tunnelTo">Null where the proxy is to forward requests.</param>
    private async Task<Stream> DialProxyAsync(ProxyAddress proxy, string? tunnelTo, CancellationToken cancellationToken)
    {
        // The operator chose the proxy; the policy is about what others choose.
        var addresses = await ResolveAsync(proxy.Host, cancellationToken);
        var connection = await ConnectAsync(proxy.Host, proxy.Port, addresses, cancellationToken);
        try
        {
            if (tunnelTo is not null)
                await OpenTunnelAsync(connection.Stream, proxy, tunnelTo, cancellationToken);
            return connection.Stream;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task OpenTunnelAsync(Stream stream, ProxyAddress proxy, string tunnelTo, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.ConnectTimeout, time, cancellationToken);
        try
        {
            await ProxyTunnel.OpenAsync(stream, proxy, tunnelTo, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.HasPassed && !cancellationToken.IsCancellationRequested)
        {
            throw new SourceException(
                SourceFault.ConnectTimeout, $"The proxy {proxy} opened no tunnel within {Told(options.ConnectTimeout)}.", mayPass: true);
        }
        catch (IOException fault)
        {
            throw new SourceException(SourceFault.Connect, $"The proxy {proxy} closed the connection.", mayPass: true, fault);
        }
    }

    private async Task<IReadOnlyList<IPAddress>> ResolveCheckedAsync(OutgoingTarget target, CancellationToken cancellationToken)
    {
        var addresses = target.Literal is { } literal ? [literal] : await ResolveAsync(target.Host, cancellationToken);
        foreach (var decision in addresses.Select(address => policy.Decide(target, address)).Where(d => !d.Allowed))
            LogRefused(decision.Reason);

        policy.Demand(target, addresses);
        return addresses;
    }

    private async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (OutgoingTarget.TryReadLiteral(host, out var literal))
            return [literal];

        using var deadline = new Deadline(options.ConnectTimeout, time, cancellationToken);
        try
        {
            var addresses = await network.ResolveAsync(host, deadline.Token);
            return addresses.Count > 0
                ? [.. addresses.Select(InnerNetworks.Unwrap)]
                : throw new SourceException(SourceFault.Dns, $"The name {host} has no address.", mayPass: false);
        }
        catch (OperationCanceledException) when (deadline.HasPassed && !cancellationToken.IsCancellationRequested)
        {
            throw new SourceException(
                SourceFault.Dns, $"No name server answered for {host} within {Told(options.ConnectTimeout)}.", mayPass: true);
        }
        catch (SocketException fault)
        {
            throw DnsFailure(host, fault);
        }
    }

    private static SourceException DnsFailure(string host, SocketException fault) => fault.SocketErrorCode switch
    {
        SocketError.HostNotFound => new(SourceFault.Dns, $"There is no host named {host}.", mayPass: false, fault),
        SocketError.NoData => new(SourceFault.Dns, $"The name {host} has no address.", mayPass: false, fault),
        SocketError.TryAgain => new(SourceFault.Dns, $"The name servers could not answer for {host} at the moment.", mayPass: true, fault),
        _ => new(SourceFault.Dns, $"The name {host} could not be looked up.", mayPass: false, fault),
    };

    /// <summary>Tries the addresses in their order, each for its share of the time that is left.</summary>
    private async Task<OutgoingConnection> ConnectAsync(string host, int port, IReadOnlyList<IPAddress> addresses, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        SourceException? last = null;
        for (var i = 0; i < addresses.Count; i++)
        {
            var left = options.ConnectTimeout - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
                break;

            try
            {
                return new(
                    await ConnectAsync(host, new IPEndPoint(addresses[i], port), left / (addresses.Count - i), cancellationToken), addresses[i], Certificate: null);
            }
            catch (SourceException fault)
            {
                last = fault;
            }
        }

        throw last ?? NoAnswer(host, port);
    }

    private async Task<Stream> ConnectAsync(string host, IPEndPoint endPoint, TimeSpan share, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(share, time, cancellationToken);
        try
        {
            return await network.ConnectAsync(endPoint, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.HasPassed && !cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer(host, endPoint.Port);
        }
        catch (SocketException fault)
        {
            throw ConnectFailure(host, endPoint.Port, fault);
        }
    }

    private SourceException NoAnswer(string host, int port) =>
        new(SourceFault.ConnectTimeout, $"{host} did not answer at port {port} within {Told(options.ConnectTimeout)}.", mayPass: true);

    private static SourceException ConnectFailure(string host, int port, SocketException fault) => fault.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => new(SourceFault.Connect, $"{host} refused the connection at port {port}.", mayPass: true, fault),
        SocketError.TimedOut => new(SourceFault.ConnectTimeout, $"{host} did not answer at port {port}.", mayPass: true, fault),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown =>
            new(SourceFault.Connect, $"There is no route to {host}.", mayPass: true, fault),
        var other => new(SourceFault.Connect, $"{host} could not be connected to at port {port}: {other}.", mayPass: true, fault),
    };

    private static string Told(TimeSpan time) => $"{time.TotalSeconds:0.#} s";

    [LoggerMessage(LogLevel.Warning, "A source was refused: {Reason}")]
    private partial void LogRefused(string reason);
}
