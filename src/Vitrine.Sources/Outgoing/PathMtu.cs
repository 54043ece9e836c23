using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Vitrine.Sources.Outgoing;

/// <summary>How long packets may be on the way of a connection, as the kernel has it at that moment.</summary>
/// <param name="From">This machine's end of the connection.</param>
internal readonly record struct PathMtu(int Bytes, IPAddress From)
{
    // Linux, in.h and in6.h: the levels IPPROTO_IP and IPPROTO_IPV6, the options IP_MTU and IPV6_MTU.
    private const int Ip = 0;
    private const int IpMtu = 14;
    private const int IpV6 = 41;
    private const int IpV6Mtu = 24;

    // RFC 791 section 3.1: the length of a packet has 16 bits. The loopback interface carries one byte more.
    private const int LongestOfIpV4 = ushort.MaxValue;

    /// <returns>Null where the platform does not say.</returns>
    public static PathMtu? Of(Socket socket)
    {
        Span<byte> value = stackalloc byte[sizeof(int)];
        try
        {
            var isV6 = socket.AddressFamily is AddressFamily.InterNetworkV6;
            var length = socket.GetRawSocketOption(isV6 ? IpV6 : Ip, isV6 ? IpV6Mtu : IpMtu, value);
            return length == sizeof(int) && socket.LocalEndPoint is IPEndPoint { Address: var from } ? new PathMtu(BitConverter.ToInt32(value), from) : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <returns>What the interface carries that the connection goes out by; null where the platform does not say.</returns>
    public int? FindOfInterface()
    {
        var from = From;
        try
        {
            var properties = NetworkInterface.GetAllNetworkInterfaces().Select(i => i.GetIPProperties())
                .FirstOrDefault(p => p.UnicastAddresses.Any(a => a.Address.Equals(from)));
            if (from.AddressFamily is AddressFamily.InterNetworkV6)
                return properties?.GetIPv6Properties().Mtu;
            return properties?.GetIPv4Properties().Mtu is { } mtu ? Math.Min(mtu, LongestOfIpV4) : null;
        }
        catch (NetworkInformationException)
        {
            return null;
        }
    }
}
