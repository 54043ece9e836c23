using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Vitrine.Sources.Outgoing;

/// <summary>Tells addresses of the public internet from all others.</summary>
/// <remarks>
/// After the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890 and its updates). IPv6 addresses that carry
/// an IPv4 address to some gateway are judged by what they carry, since the gateway would take the packet there.
/// </remarks>
internal static class InnerNetworks
{
    private static readonly (IPNetwork Network, string Kind)[] V4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "an unspecified address"),
        (IPNetwork.Parse("10.0.0.0/8"), "a private address"),
        (IPNetwork.Parse("100.64.0.0/10"), "a carrier's shared address"),
        (IPNetwork.Parse("127.0.0.0/8"), "a loopback address"),
        (IPNetwork.Parse("169.254.0.0/16"), "a link-local address"),
        (IPNetwork.Parse("172.16.0.0/12"), "a private address"),
        (IPNetwork.Parse("192.0.0.0/24"), "a protocol's reserved address"),
        (IPNetwork.Parse("192.0.2.0/24"), "a documentation address"),
        (IPNetwork.Parse("192.88.99.0/24"), "a reserved relay address"),
        (IPNetwork.Parse("192.168.0.0/16"), "a private address"),
        (IPNetwork.Parse("198.18.0.0/15"), "a benchmarking address"),
        (IPNetwork.Parse("198.51.100.0/24"), "a documentation address"),
        (IPNetwork.Parse("203.0.113.0/24"), "a documentation address"),
        (IPNetwork.Parse("224.0.0.0/4"), "a multicast address"),
        (IPNetwork.Parse("255.255.255.255/32"), "the broadcast address"),
        (IPNetwork.Parse("240.0.0.0/4"), "a reserved address"),
        // Looks public, but is where one cloud's machines find their host's services.
        (IPNetwork.Parse("168.63.129.16/32"), "a cloud's service address"),
    ];

    private static readonly (IPNetwork Network, string Kind)[] V6 =
    [
        (IPNetwork.Parse("::/128"), "an unspecified address"),
        (IPNetwork.Parse("::1/128"), "a loopback address"),
        (IPNetwork.Parse("64:ff9b:1::/48"), "a local translation address"),
        (IPNetwork.Parse("100::/64"), "a discard-only address"),
        (IPNetwork.Parse("2001:db8::/32"), "a documentation address"),
        (IPNetwork.Parse("3fff::/20"), "a documentation address"),
        (IPNetwork.Parse("fc00::/7"), "a private address"),
        (IPNetwork.Parse("fe80::/10"), "a link-local address"),
        (IPNetwork.Parse("fec0::/10"), "a site-local address"),
        (IPNetwork.Parse("ff00::/8"), "a multicast address"),
    ];

    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork ProtocolAssignments = IPNetwork.Parse("2001::/23");
    private static readonly IPNetwork Teredo = IPNetwork.Parse("2001::/32");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork Translated = IPNetwork.Parse("::ffff:0:0:0/96");

    /// <summary>The address that packets really go to: the IPv4 one where IPv6 only wraps it.</summary>
    public static IPAddress Unwrap(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <returns>What the address is, as "a private address"; null for an address of the public internet.</returns>
    public static string? KindOf(IPAddress address)
    {
        var plain = Unwrap(address);
        return plain.AddressFamily switch
        {
            AddressFamily.InterNetwork => Find(V4, plain),
            AddressFamily.InterNetworkV6 => KindOfV6(plain),
            _ => "not an internet address",
        };
    }

    private static string? KindOfV6(IPAddress address)
    {
        if (Find(V6, address) is { } special)
            return special;

        foreach (var carried in CarriedBy(address))
        {
            if (Find(V4, carried) is { } kind)
                return $"an IPv6 form of {kind}";
        }

        if (ProtocolAssignments.Contains(address) && !Teredo.Contains(address))
            return "a protocol's reserved address";

        return GlobalUnicast.Contains(address) || Nat64.Contains(address) ? null : "no public address";
    }

    private static string? Find((IPNetwork Network, string Kind)[] table, IPAddress address)
    {
        foreach (var (network, kind) in table)
        {
            if (network.Contains(address))
                return kind;
        }

        return null;
    }

    /// <summary>
    /// Where an IPv4 address lies in an IPv6 one, in bytes:
    /// <code>
    ///  0    2              6    8         12             16
    ///  +----+--------------+----+---------+--------------+
    ///  |        zeros, ffff:0, 64:ff9b:   |     IPv4     |  compatible, translated, NAT64
    ///  |2002|     IPv4     |                             |  6to4 (RFC 3056)
    ///  |  2001:0 |   IPv4 server |  …     | IPv4 client  |  Teredo (RFC 4380): 4 to 8, and 12 to 16 with all bits turned
    ///  |                        | 0:5efe  |     IPv4     |  ISATAP (RFC 5214), in any network
    ///  +----+--------------+----+---------+--------------+
    /// </code>
    /// </summary>
    private static IEnumerable<IPAddress> CarriedBy(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        if (Compatible.Contains(address) || Translated.Contains(address) || Nat64.Contains(address) || IsIsatap(bytes))
            yield return new IPAddress(bytes[12..]);

        if (SixToFour.Contains(address))
            yield return new IPAddress(bytes[2..6]);

        if (Teredo.Contains(address))
        {
            yield return new IPAddress(bytes[4..8]);
            yield return new IPAddress(bytes[12..].Select(b => (byte)~b).ToArray());
        }
    }

    // The universal bit may be set in it: 0:5efe or 200:5efe.
    private static bool IsIsatap(byte[] bytes) =>
        (BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(8)) & ~0x0200_0000u) == 0x0000_5EFE;
}
