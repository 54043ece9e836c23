using System.Net.Sockets;

namespace Vitrine.Sources.Outgoing;

/// <summary>Explains to an operator whether an address could be fetched from and which rule decides it. Connects to nothing.</summary>
public sealed class OutgoingDryRun
{
    private readonly OutgoingPolicy _policy;
    private readonly INetwork _network;
    private readonly bool _proxyResolves;

    internal OutgoingDryRun(OutgoingPolicy policy, INetwork network, SourceOptions options)
    {
        _policy = policy;
        _network = network;
        _proxyResolves = options is { Proxy: not null, ProxyResolves: true };
    }

    /// <summary>Looks the name up, if the policy lets it come to that; a name that cannot be looked up is a refusal with that reason.</summary>
    public async Task<PolicyDecision> ExplainAsync(Uri address, CancellationToken cancellationToken)
    {
        var decision = _policy.Decide(address);
        if (!decision.Allowed || _proxyResolves || !OutgoingTarget.TryRead(address, out var target, out _) || target.Literal is not null)
            return decision;

        try
        {
            var addresses = await _network.ResolveAsync(target.Host, cancellationToken);
            var decisions = addresses.Select(found => _policy.Decide(target, found)).ToList();
            return decisions.Find(d => !d.Allowed) ?? decisions.FirstOrDefault() ?? PolicyDecision.Refuse($"The name {target.Host} has no address.");
        }
        catch (SocketException fault)
        {
            return PolicyDecision.Refuse($"The name {target.Host} could not be looked up: {fault.SocketErrorCode}.");
        }
    }
}
