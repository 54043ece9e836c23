using System.Net;

namespace Vitrine.Sources.Outgoing;

/// <summary>Networks as operators write them.</summary>
internal static class NetworkText
{
    /// <summary>Takes <c>10.20.0.0/16</c>; a single address stands for the network that is it alone.</summary>
    public static bool TryParse(string? text, out IPNetwork network)
    {
        network = default;
        if (text is null || text.Contains('%'))
            return false;

        if (text.Contains('/'))
            return IPNetwork.TryParse(text, out network) && IsExact(text, network);

        if (!OutgoingTarget.TryReadLiteral(text, out var address))
            return false;

        network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return true;
    }

    // 10.1.2.3/8 may mean 10.1.2.3 or all of 10.0.0.0/8; opening the wrong one of them is not for us to guess.
    private static bool IsExact(string text, IPNetwork network) =>
        IPAddress.TryParse(text.AsSpan(0, text.IndexOf('/')), out var written) && written.Equals(network.BaseAddress);
}
