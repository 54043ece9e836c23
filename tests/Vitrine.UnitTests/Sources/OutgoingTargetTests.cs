using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Vitrine.Sources.Outgoing;
using HostName = Vitrine.Sources.Outgoing.HostName;

namespace Vitrine.UnitTests.Sources;

public sealed class OutgoingTargetTests
{
    [Theory]
    [InlineData("http://mirror.example/a.iso", "http", "mirror.example", 80)]
    [InlineData("https://mirror.example/a.iso", "https", "mirror.example", 443)]
    [InlineData("http://mirror.example:8080/a.iso", "http", "mirror.example", 8080)]
    [InlineData("https://mirror.example:8443", "https", "mirror.example", 8443)]
    [InlineData("HTTP://MIRROR.Example./a", "http", "mirror.example", 80)]
    [InlineData("http://u:p@mirror.example/a", "http", "mirror.example", 80)]
    [InlineData("http://u@mirror.example:81/a@b", "http", "mirror.example", 81)]
    [InlineData("http://my_mirror.example/?q=http://x", "http", "my_mirror.example", 80)]
    [InlineData("http://8.8.8.8/", "http", "8.8.8.8", 80)]
    [InlineData("http://[2606:4700::1111]:81/", "http", "2606:4700::1111", 81)]
    [InlineData("http://[2606:4700:0:0:0:0:0:1111]/", "http", "2606:4700::1111", 80)]
    [InlineData("http://[::ffff:8.8.8.8]/", "http", "8.8.8.8", 80)]
    [InlineData("ftp://mirror.example/a.iso", "ftp", "mirror.example", 21)]
    [InlineData("sftp://user:word@mirror.example/a.iso", "sftp", "mirror.example", 22)]
    [InlineData("SFTP://user@MIRROR.example:2222/a.iso", "sftp", "mirror.example", 2222)]
    [InlineData("sftp://user@[2606:4700::1111]/a.iso", "sftp", "2606:4700::1111", 22)]
    [InlineData("http://bücher.example/", "http", "xn--bcher-kva.example", 80)]
    public void An_address_is_read_into_its_parts(string address, string scheme, string host, int port)
    {
        Assert.True(OutgoingTarget.TryRead(new Uri(address), out var target, out _));
        Assert.Equal((scheme, host, port), (target.Scheme, target.Host, target.Port));
    }

    [Theory]
    [InlineData("http://2130706433/")]
    [InlineData("sftp://user@2130706433/")]
    [InlineData("sftp://user@0x7f.1/")]
    [InlineData("sftp://user@mirror.example:0/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://0x7f.0.0.1/")]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://127.1/")]
    [InlineData("http://127.0.1/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://127.0.0.01/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://127.1./")]
    [InlineData("http://0/")]
    [InlineData("http://0x0/")]
    [InlineData("http://1.2.3.4.5/")]
    [InlineData("http://256.1.1.1/")]
    [InlineData("http://4294967296/")]
    [InlineData("http://a.0x7f/")]
    [InlineData("http://127。0。0。1/")]
    [InlineData("http://①②⑦.0.0.1/")]
    [InlineData("http://\uff11\uff12\uff17.0.0.1/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://[fe80::1%eth0]/")]
    [InlineData("http://[::1]a/")]
    [InlineData("http://127%2e0%2e0%2e1/")]
    [InlineData("http://good.example\\@evil.example/")]
    [InlineData("http:\\\\evil.example/")]
    [InlineData("http://good.example@127.0.0.1@evil.example/")]
    [InlineData("http://a@b@evil.example/")]
    [InlineData("http:/evil.example/")]
    [InlineData("http:evil.example")]
    [InlineData("http:///evil.example/")]
    [InlineData("http://good.example..evil.example/")]
    [InlineData("http://good.example../")]
    [InlineData("http://-a.example/")]
    [InlineData("http://mirror.example:0/")]
    [InlineData("http://mirror.example:/a")]
    [InlineData("http://mirror.example:080000/a")]
    [InlineData("http://mirror.example/a\tb")]
    [InlineData("http://mirror.example/a\r\nX-Evil: 1")]
    [InlineData("http://mir ror.example/")]
    public void A_host_that_could_be_read_in_two_ways_is_refused(string text)
    {
        // What the framework itself cannot read never gets as far as this.
        if (Uri.TryCreate(text, UriKind.Absolute, out var address))
            Assert.False(OutgoingTarget.TryRead(address, out var target, out _), target?.ToString());
    }

    [Fact]
    public void Every_spelling_of_an_inner_address_is_refused_or_read_as_that_address() => Prop.ForAll(
        Spellings.ToArbitrary(),
        text => !Uri.TryCreate($"http://{text}/", UriKind.Absolute, out var address)
            || !OutgoingTarget.TryRead(address, out var target, out _)
            || target.Literal is { } literal && InnerNetworks.KindOf(literal) is not null).QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_stands_in_an_address_its_host_is_a_plain_name_or_an_address() => Prop.ForAll(
        Soup.ToArbitrary(),
        text =>
        {
            if (!Uri.TryCreate($"http://{text}", UriKind.Absolute, out var address) || !OutgoingTarget.TryRead(address, out var target, out _))
                return true;

            return target.Literal is not null
                ? IPAddress.Parse(target.Host).Equals(target.Literal)
                : HostName.IsValid(target.Host) && !IPAddress.TryParse(target.Host, out _);
        }).QuickCheckThrowOnFailure();

    /// <summary>Each part of an inner IPv4 address in any base, the last few parts in one number, with and without a dot at the end.</summary>
    private static Gen<string> Spellings =>
        from first in Gen.Elements(10u << 24, 127u << 24, 0u, 192u << 24 | 168u << 16, 169u << 24 | 254u << 16)
        from rest in Gen.Choose(0, 0xFFFF)
        from parts in Gen.Choose(1, 4)
        from bases in Gen.Elements(8, 10, 16, 17).ArrayOf(4)
        from end in Gen.Elements("", ".")
        select Spell(first | (uint)rest, parts, bases) + end;

    private static Gen<string> Soup =>
        from pieces in Gen.Elements("a", "example", ".", ":", "@", "/", "[", "]", "%", "%2e", "1", "127", "0x7f", "80", "\\", "?", "#", "::1", "。", " ", "é", "_", "-").NonEmptyListOf()
        select string.Concat(pieces);

    private static string Spell(uint address, int parts, int[] bases)
    {
        var numbers = Enumerable.Range(0, parts - 1).Select(i => (address >> (24 - 8 * i)) & 0xFF).Append(address & (0xFFFF_FFFF >> (8 * (parts - 1))));
        return string.Join('.', numbers.Select((number, i) => bases[i] switch
        {
            8 => "0" + Convert.ToString(number, 8),
            16 => "0x" + Convert.ToString(number, 16),
            17 => "0X" + Convert.ToString(number, 16).ToUpperInvariant(),
            _ => $"{number}",
        }));
    }
}
