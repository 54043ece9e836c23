using System.Net;
using Vitrine.Sources;
using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Sources;

public sealed class OutgoingPolicyTests
{
    private readonly SilentNetwork _network = new();
    private readonly SourceOptions _options = new();

    private OutgoingPolicy Policy => new(_options, _network);

    [Theory]
    [InlineData("http://mirror.example/a")]
    [InlineData("https://mirror.example:8443/a")]
    [InlineData("http://8.8.8.8:9000/a")]
    [InlineData("ftp://mirror.example/a")]
    [InlineData("sftp://user@mirror.example/a")]
    public void The_public_internet_may_be_fetched_from_without_any_option(string address) =>
        Assert.True(Policy.Decide(new Uri(address)).Allowed);

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:10.0.0.1]/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("https://10.1.2.3/")]
    [InlineData("ftp://10.1.2.3/a")]
    [InlineData("sftp://user@[::1]/a")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://mirror.example/")]
    public void Inner_addresses_and_other_schemes_may_not(string address)
    {
        var decision = Policy.Decide(new Uri(address));

        Assert.False(decision.Allowed);
        Assert.NotEmpty(decision.Reason);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.4", "10.1.2.4", false)]
    [InlineData("mirror.corp", "10.1.2.9", true)]
    [InlineData("MIRROR.corp", "10.1.2.9", true)]
    [InlineData("a.mirror.corp", "10.1.2.9", false)]
    [InlineData("a.mirrors.corp", "10.1.2.9", true)]
    [InlineData("a.b.mirrors.corp", "10.1.2.9", true)]
    [InlineData("mirrors.corp", "10.1.2.9", false)]
    [InlineData("evilmirrors.corp", "10.1.2.9", false)]
    [InlineData("other.corp", "10.20.1.1", true)]
    [InlineData("other.corp", "10.21.1.1", false)]
    [InlineData("other.corp", "fd00:1::5", true)]
    [InlineData("other.corp", "fd00:2::5", false)]
    [InlineData("other.corp", "::ffff:10.20.1.1", true)]
    [InlineData("other.corp", "64:ff9b::10.20.1.1", false)] // a gateway that nobody opened
    [InlineData("other.corp", "172.16.5.5", true)]
    [InlineData("other.corp", "172.16.5.6", false)]
    public void Single_inner_hosts_and_networks_can_be_opened(string host, string address, bool allowed)
    {
        foreach (var open in (string[])["mirror.corp", "*.mirrors.corp", "10.1.2.3"])
            _options.AllowedHosts.Add(open);
        foreach (var open in (string[])["10.20.0.0/16", "fd00:1::/64", "172.16.5.5"])
            _options.AllowedNetworks.Add(open);

        var target = OutgoingTarget.TryRead(new Uri($"http://{host}/"), out var read, out _) ? read : null;
        Assert.Equal(allowed, Policy.Decide(target!, IPAddress.Parse(address)).Allowed);
    }

    [Theory]
    [InlineData("http://mirror.example/a", true)]
    [InlineData("http://a.cdn.example/a", true)]
    [InlineData("http://evil.example/a", false)]
    [InlineData("http://mirror.example.evil.example/a", false)]
    [InlineData("http://mirror.example@evil.example/a", false)]
    [InlineData("http://8.8.8.8/a", false)]
    [InlineData("http://10.0.0.1/a", false)] // a mirror, but an inner one that nobody opened
    public void Known_mirrors_shut_out_every_other_host(string address, bool allowed)
    {
        foreach (var mirror in (string[])["mirror.example", "*.cdn.example", "10.0.0.1"])
            _options.OnlyHosts.Add(mirror);

        Assert.Equal(allowed, Policy.Decide(new Uri(address)).Allowed);
    }

    [Fact]
    public void Ports_and_schemes_can_be_limited()
    {
        _options.AllowedPorts.Add(443);
        _options.AllowedSchemes.Add("https");

        Assert.True(Policy.Decide(new Uri("https://mirror.example/")).Allowed);
        Assert.Contains("AllowedPorts", Policy.Decide(new Uri("https://mirror.example:22/")).Reason);
        Assert.Contains("scheme http", Policy.Decide(new Uri("http://mirror.example:443/")).Reason);
    }

    [Fact]
    public void The_public_addresses_of_this_machine_are_refused_like_inner_ones()
    {
        _network.Own.Add(IPAddress.Parse("8.8.4.4"));

        Assert.False(Policy.Decide(new Uri("http://8.8.4.4/")).Allowed);
        Assert.False(Policy.Decide(new Uri("http://[::ffff:8.8.4.4]/")).Allowed);
        Assert.True(Policy.Decide(new Uri("http://8.8.8.8/")).Allowed);
    }

    [Fact]
    public void A_proxy_that_resolves_is_not_asked_for_itself()
    {
        (_options.Proxy, _options.ProxyResolves) = ("http://proxy.corp:3128", true);

        Assert.False(Policy.Decide(new Uri("http://localhost/")).Allowed);
        Assert.False(Policy.Decide(new Uri("http://a.localhost/")).Allowed);
        Assert.False(Policy.Decide(new Uri("http://127.0.0.1/")).Allowed);
    }

    [Fact]
    public void One_inner_address_among_public_ones_refuses_the_host_without_telling_where_it_leads()
    {
        Assert.True(OutgoingTarget.TryRead(new Uri("http://two.example/"), out var target, out _));
        Policy.Demand(target, [IPAddress.Parse("8.8.8.8"), IPAddress.Parse("1.1.1.1")]);

        var refused = Assert.Throws<SourceException>(() => Policy.Demand(target, [IPAddress.Parse("8.8.8.8"), IPAddress.Parse("10.77.88.99")]));
        Assert.Equal((SourceFault.Refused, false), (refused.Fault, refused.MayPass));
        Assert.DoesNotContain("10.77", refused.Message);
    }

    [Fact]
    public async Task A_dry_run_tells_the_operator_where_a_name_leads_and_which_rule_decides()
    {
        _network.Names["inner.corp"] = [IPAddress.Parse("10.9.8.7")];
        _network.Names["mirror.example"] = [IPAddress.Parse("8.8.8.8")];
        var run = new OutgoingDryRun(Policy, _network, _options);

        var inner = await run.ExplainAsync(new Uri("http://inner.corp/"), Stop);
        Assert.False(inner.Allowed);
        Assert.Contains("10.9.8.7", inner.Reason);
        Assert.Contains("private", inner.Reason);
        Assert.True((await run.ExplainAsync(new Uri("http://mirror.example/"), Stop)).Allowed);
        Assert.False((await run.ExplainAsync(new Uri("http://nobody.example/"), Stop)).Allowed);
        Assert.False((await run.ExplainAsync(new Uri("http://127.1/"), Stop)).Allowed);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
