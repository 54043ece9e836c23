using System.Net;
using Vitrine.Transfers;

namespace Vitrine.Sources.Outgoing;

/// <summary>Decides where this service may connect to. It looks nothing up and sends nothing.</summary>
public sealed class OutgoingPolicy
{
    internal static readonly IReadOnlyCollection<string> KnownSchemes =
        [Uri.UriSchemeHttp, Uri.UriSchemeHttps, Uri.UriSchemeFtp, Uri.UriSchemeSftp];

    private readonly HostPattern[] _allowedHosts;
    private readonly HostPattern[] _onlyHosts;
    private readonly IPNetwork[] _allowedNetworks;
    private readonly string[] _schemes;
    private readonly int[] _ports;
    private readonly bool _proxyResolves;
    private readonly INetwork _network;

    /// <exception cref="ArgumentException">The options are not valid; those of the container have been checked.</exception>
    internal OutgoingPolicy(SourceOptions options, INetwork network)
    {
        _allowedHosts = [.. options.AllowedHosts.Select(Pattern)];
        _onlyHosts = [.. options.OnlyHosts.Select(Pattern)];
        _allowedNetworks = [.. options.AllowedNetworks.Select(Network)];
        _schemes = options.AllowedSchemes.Count > 0 ? [.. options.AllowedSchemes] : [.. KnownSchemes];
        _ports = [.. options.AllowedPorts];
        _proxyResolves = options is { Proxy: not null, ProxyResolves: true };
        _network = network;
    }

    /// <summary>Decides by what stands in the address. A name may still be refused for where it leads.</summary>
    public PolicyDecision Decide(Uri address) => OutgoingTarget.TryRead(address, out var target, out var fault)
        ? Decide(target)
        : PolicyDecision.Refuse(fault);

    internal PolicyDecision Decide(OutgoingTarget target)
    {
        if (!_schemes.Contains(target.Scheme))
            return PolicyDecision.Refuse($"The scheme {target.Scheme} is not allowed.");

        if (_onlyHosts.Length > 0 && !_onlyHosts.Any(host => host.Matches(target.Host)))
            return PolicyDecision.Refuse($"{target.Host} is not one of the known mirrors ({SourceOptions.Section}:OnlyHosts).");

        if (_ports.Length > 0 && !_ports.Contains(target.Port))
            return PolicyDecision.Refuse($"Port {target.Port} is not allowed ({SourceOptions.Section}:AllowedPorts).");

        if (target.Literal is { } literal)
            return Decide(target, literal);

        return _proxyResolves && IsLocalhost(target.Host) && !IsAllowed(target.Host)
            ? PolicyDecision.Refuse($"{target.Host} would be the proxy itself.")
            : PolicyDecision.Allow($"Nothing forbids {target.Host}; its addresses are checked before a connection is made.");
    }

    /// <summary>Decides on one address that the target's host has.</summary>
    internal PolicyDecision Decide(OutgoingTarget target, IPAddress address)
    {
        var plain = InnerNetworks.Unwrap(address);
        if (IsAllowed(target.Host))
            return PolicyDecision.Allow($"{target.Host} is allowed by name ({SourceOptions.Section}:AllowedHosts).");

        if (_allowedNetworks.Any(network => network.Contains(plain)))
            return PolicyDecision.Allow($"{Described(target, plain)} is in an allowed network ({SourceOptions.Section}:AllowedNetworks).");

        if (InnerNetworks.KindOf(plain) is { } kind)
            return PolicyDecision.Refuse(
                $"{Described(target, plain)} is {kind}; {SourceOptions.Section}:AllowedHosts and AllowedNetworks could open it.");

        return _network.OwnAddresses().Any(own => InnerNetworks.Unwrap(own).Equals(plain))
            ? PolicyDecision.Refuse($"{Described(target, plain)} is an address of this machine.")
            : PolicyDecision.Allow($"{Described(target, plain)} is a public address.");
    }

    /// <param name="spoken">The schemes that whoever asks can speak: no redirect leads on to another.</param>
    /// <exception cref="SourceException">Malformed or refused; the message tells a user no more than he told us.</exception>
    internal OutgoingTarget Demand(Uri address, IReadOnlyCollection<string> spoken)
    {
        if (!OutgoingTarget.TryRead(address, out var target, out var fault))
            throw new SourceException(SourceFault.MalformedUrl, fault, mayPass: false);

        if (!spoken.Contains(target.Scheme))
            throw Refusal($"The scheme {target.Scheme} is not allowed here.");

        var decision = Decide(target);
        return decision.Allowed ? target : throw Refusal(decision.Reason);
    }

    /// <summary>
    /// Demands of all addresses of a host that they are allowed. One inner address among public ones refuses the host: which of
    /// them a lookup names first is in the hands of whoever runs the name.
    /// </summary>
    /// <exception cref="SourceException">Refused. Where a name leads inside is not told, as that would map our network for users.</exception>
    internal void Demand(OutgoingTarget target, IReadOnlyList<IPAddress> addresses)
    {
        if (addresses.All(address => Decide(target, address).Allowed))
            return;

        throw Refusal(target.Literal is null
            ? $"{target.Host} has an address in a network that is not allowed."
            : $"{target.Host} is in a network that is not allowed.");
    }

    private static SourceException Refusal(string reason) =>
        new(SourceFault.Refused, $"The policy refuses this source: {reason}", mayPass: false);

    private static string Described(OutgoingTarget target, IPAddress address) =>
        target.Literal is null ? $"{target.Host} leads to {address}, which" : address.ToString();

    private bool IsAllowed(string host) => _allowedHosts.Any(pattern => pattern.Matches(host));

    private static bool IsLocalhost(string host) => host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal);

    private static HostPattern Pattern(string text) =>
        HostPattern.TryParse(text, out var pattern) ? pattern : throw new ArgumentException($"\"{text}\" is no host.", nameof(text));

    private static IPNetwork Network(string text) =>
        NetworkText.TryParse(text, out var network) ? network : throw new ArgumentException($"\"{text}\" is no network.", nameof(text));
}
