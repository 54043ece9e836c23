using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Vitrine.Sources.Outgoing;

namespace Vitrine.ContractTests.Sources;

/// <summary>A network of names and addresses that a test makes up, all of which are this machine in truth.</summary>
internal sealed class ScriptedNetwork : INetwork
{
    private readonly SystemNetwork _real = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<IPAddress[]>> _names = new();
    private readonly ConcurrentDictionary<IPEndPoint, Func<CancellationToken, Task<Stream>>> _endPoints = new();

    /// <summary>The names that were looked up, in order.</summary>
    public ConcurrentQueue<string> Lookups { get; } = new();

    /// <summary>The addresses that a packet left for, in order.</summary>
    public ConcurrentQueue<IPEndPoint> Dialled { get; } = new();

    /// <summary>Answers a name with these addresses; several calls answer lookup after lookup, and the last for ever.</summary>
    public ScriptedNetwork Name(string host, params string[] addresses)
    {
        _names.GetOrAdd(host, _ => new()).Enqueue([.. addresses.Select(IPAddress.Parse)]);
        return this;
    }

    /// <summary>Leads an address to a port of this machine.</summary>
    public ScriptedNetwork Lead(string endPoint, int port)
    {
        _endPoints[IPEndPoint.Parse(endPoint)] = stop => _real.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), stop);
        return this;
    }

    public ScriptedNetwork Fail(string endPoint, SocketError error)
    {
        _endPoints[IPEndPoint.Parse(endPoint)] = _ => throw new SocketException((int)error);
        return this;
    }

    /// <summary>Lets packets to an address vanish.</summary>
    public ScriptedNetwork Swallow(string endPoint)
    {
        _endPoints[IPEndPoint.Parse(endPoint)] = async stop =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            return Stream.Null;
        };
        return this;
    }

    public Func<string, CancellationToken, Task<IReadOnlyList<IPAddress>>>? OnLookup { get; set; }

    public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        Lookups.Enqueue(host);
        if (OnLookup is not null)
            return OnLookup(host, cancellationToken);

        if (!_names.TryGetValue(host, out var answers))
            throw new SocketException((int)SocketError.HostNotFound);

        var more = answers.Count > 1;
        return Task.FromResult<IReadOnlyList<IPAddress>>((more ? answers.TryDequeue(out var first) : answers.TryPeek(out first)) ? first! : []);
    }

    public Task<Stream> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        Dialled.Enqueue(endPoint);
        return _endPoints.TryGetValue(endPoint, out var connect) ? connect(cancellationToken) : _real.ConnectAsync(endPoint, cancellationToken);
    }

    public IReadOnlyCollection<IPAddress> OwnAddresses() => [];
}
