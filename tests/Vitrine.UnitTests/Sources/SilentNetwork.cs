using System.Net;
using Vitrine.Sources.Outgoing;

namespace Vitrine.UnitTests.Sources;

/// <summary>A network that knows names but carries nothing: what is decided without a packet passes, all else fails.</summary>
internal sealed class SilentNetwork : INetwork
{
    public Dictionary<string, IReadOnlyList<IPAddress>> Names { get; } = [];

    public IList<IPAddress> Own { get; } = [];

    public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) => Names.TryGetValue(host, out var found)
        ? Task.FromResult(found)
        : throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound);

    public Task<Stream> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken) =>
        throw new InvalidOperationException($"A packet would have left for {endPoint}.");

    public IReadOnlyCollection<IPAddress> OwnAddresses() => [.. Own];
}
