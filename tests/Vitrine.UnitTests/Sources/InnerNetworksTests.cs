using System.Net;
using Vitrine.Sources.Outgoing;

namespace Vitrine.UnitTests.Sources;

public sealed class InnerNetworksTests
{
    [Theory]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("0.1.2.3", "unspecified")]
    [InlineData("10.0.0.0", "private")]
    [InlineData("10.255.255.255", "private")]
    [InlineData("100.64.0.1", "shared")]
    [InlineData("100.127.255.255", "shared")]
    [InlineData("100.100.100.200", "shared")] // one cloud's metadata
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.254", "loopback")]
    [InlineData("169.254.169.254", "link-local")] // most clouds' metadata
    [InlineData("172.16.0.1", "private")]
    [InlineData("172.31.255.255", "private")]
    [InlineData("192.0.0.192", "reserved")] // one cloud's metadata
    [InlineData("192.0.2.1", "documentation")]
    [InlineData("192.88.99.1", "relay")]
    [InlineData("192.168.255.255", "private")]
    [InlineData("198.18.0.1", "benchmarking")]
    [InlineData("198.19.255.255", "benchmarking")]
    [InlineData("198.51.100.7", "documentation")]
    [InlineData("203.0.113.7", "documentation")]
    [InlineData("168.63.129.16", "cloud")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.255", "multicast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("::", "unspecified")]
    [InlineData("::1", "loopback")]
    [InlineData("::127.0.0.1", "loopback")]
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("::ffff:a9fe:a9fe", "link-local")]
    [InlineData("::ffff:0:10.0.0.1", "private")]
    [InlineData("64:ff9b::10.0.0.1", "private")]
    [InlineData("64:ff9b::a9fe:a9fe", "link-local")]
    [InlineData("64:ff9b:1::1", "translation")]
    [InlineData("100::1", "discard")]
    [InlineData("2001::1", "unspecified")] // Teredo, by its server
    [InlineData("2001:0:a9fe:a9fe::", "link-local")] // Teredo, by its server
    [InlineData("2001:0:808:808:0:0:f5ff:fffe", "private")] // Teredo, by its client: 10.0.0.1 turned
    [InlineData("2001:2::1", "reserved")]
    [InlineData("2001:10::1", "reserved")]
    [InlineData("2001:db8::1", "documentation")]
    [InlineData("2002:7f00:1::", "loopback")] // 6to4
    [InlineData("2002:c0a8:101::1", "private")]
    [InlineData("2a00::5efe:10.0.0.1", "private")] // ISATAP
    [InlineData("2a00::200:5efe:10.0.0.1", "private")]
    [InlineData("3fff::1", "documentation")]
    [InlineData("4000::1", "no public")]
    [InlineData("fc00::1", "private")]
    [InlineData("fd00:ec2::254", "private")] // one cloud's metadata
    [InlineData("fe80::1", "link-local")]
    [InlineData("febf::1", "link-local")]
    [InlineData("fec0::1", "site-local")]
    [InlineData("ff02::1", "multicast")]
    public void An_address_that_is_not_of_the_public_internet_is_told_by_its_kind(string address, string kind)
    {
        var found = InnerNetworks.KindOf(IPAddress.Parse(address));

        Assert.NotNull(found);
        Assert.Contains(kind, found);
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("8.8.8.8")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("126.255.255.255")]
    [InlineData("128.0.0.0")]
    [InlineData("169.253.255.255")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.167.255.255")]
    [InlineData("223.255.255.255")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::8.8.8.8")]
    [InlineData("2002:808:808::1")]
    [InlineData("2001:200::1")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450::1")]
    public void An_address_of_the_public_internet_has_no_kind(string address) =>
        Assert.Null(InnerNetworks.KindOf(IPAddress.Parse(address)));
}
