using System.Net;
using System.Net.Sockets;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

public sealed class OutgoingProxyTests : IAsyncDisposable
{
    private const string Mirror = "mirror.example";
    private const string Public = "8.8.8.8";
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly TestAuthority _authority = TestAuthority.Create();
    private readonly HttpRig _rig = new();
    private readonly ScriptedProxy _proxy = new();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();

    public OutgoingProxyTests()
    {
        _proxy.Reach = (host, port) => host is Mirror or Public ? new IPEndPoint(IPAddress.Loopback, port) : null;
        _rig.Network.Name(Mirror, Public);
        _rig.Options.Proxy = $"http://user:canary@127.0.0.1:{_proxy.Port}";
        _server.Serve("/file", ScriptedContent.Generated(1000));
    }

    [Fact]
    public async Task A_tunnel_goes_to_the_address_that_was_checked_and_the_server_hears_the_name()
    {
        await using var reading = await _rig.OpenAsync(Of("/file"));

        Assert.Equal([("CONNECT", $"{Public}:{_server.Port}")], _proxy.Requests.Select(r => (r.Method, r.Target)));
        Assert.Equal($"{Mirror}:{_server.Port}", Assert.Single(_server.Requests).Header("Host"));
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, _proxy.Port)], _rig.Network.Dialled);
    }

    [Theory]
    [InlineData(false, $"{Public}:")]
    [InlineData(true, $"{Mirror}:")]
    public async Task Tls_passes_the_proxy_unopened(bool proxyResolves, string target)
    {
        _rig.Options.ProxyResolves = proxyResolves;
        _rig.Options.TrustedCertificates.Add(_authority.WritePem(_directory));
        await using var server = ScriptedHttpServer.StartTls(_authority.Issue([Mirror]));
        server.Serve("/file", ScriptedContent.Generated(1000));

        await using var reading = await _rig.OpenAsync(server.AddressOf("/file", Mirror));
        Assert.Equal(1000, reading.Length);
        Assert.Equal([("CONNECT", target + server.Port)], _proxy.Requests.Select(r => (r.Method, r.Target)));
    }

    [Fact]
    public async Task What_a_name_leads_to_is_checked_before_the_proxy_hears_of_it()
    {
        _rig.Network.Name("inner.example", "10.0.0.1");

        Assert.Equal(SourceFault.Refused, (await _rig.FailAsync(_server.AddressOf("/file", "inner.example"))).Fault);
        Assert.Empty(_rig.Network.Dialled);
    }

    [Fact]
    public async Task A_caching_proxy_gives_the_second_fetch_without_the_source()
    {
        (_rig.Options.ProxyResolves, _proxy.Caches) = (true, true);

        for (var i = 0; i < 2; i++)
        {
            await using var reading = await _rig.OpenAsync(Of("/file"));
            await reading.Body.ReadExactlyAsync(new byte[1000], TestContext.Current.CancellationToken);
        }

        Assert.Equal(Of("/file").ToString(), _proxy.Requests[0].Target);
        Assert.Equal((2, 1, 1), (_proxy.Requests.Count, _proxy.Hits, _server.Requests.Count));
        Assert.Empty(_rig.Network.Lookups);
    }

    [Theory]
    [InlineData("http://127.0.0.1/file")]
    [InlineData("http://localhost/file")]
    [InlineData("http://0x7f.1/file")]
    [InlineData("http://[::ffff:10.0.0.1]/file")]
    public async Task A_proxy_that_resolves_is_still_not_asked_for_inner_addresses(string address)
    {
        _rig.Options.ProxyResolves = true;

        await _rig.FailAsync(new Uri(address));
        Assert.Empty(_rig.Network.Dialled);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_login_at_the_proxy_goes_to_the_proxy_alone(bool proxyResolves)
    {
        _rig.Options.ProxyResolves = proxyResolves;
        _proxy.Login = "user:canary";

        await using var reading = await _rig.OpenAsync(Of("/file"));
        Assert.Equal(1000, reading.Length);
        Assert.Null(Assert.Single(_server.Requests).Header("Proxy-Authorization"));
    }

    [Theory]
    [InlineData(false, SourceFault.Connect)]
    [InlineData(true, SourceFault.Status)]
    public async Task A_login_that_the_proxy_refuses_is_told_without_it(bool proxyResolves, SourceFault fault)
    {
        _rig.Options.ProxyResolves = proxyResolves;
        _proxy.Login = "user:other";

        var failure = await _rig.FailAsync(Of("/file"));
        Assert.Equal((fault, false), (failure.Fault, failure.MayPass));
        Assert.DoesNotContain("canary", failure.ToString());
    }

    [Fact]
    public async Task A_proxy_that_refuses_to_tunnel_is_told_as_the_one_who_refused()
    {
        _proxy.Reach = (_, _) => null;

        var failure = await _rig.FailAsync(Of("/file"));
        Assert.Equal((SourceFault.Connect, false), (failure.Fault, failure.MayPass));
        Assert.Contains($"proxy 127.0.0.1:{_proxy.Port}", failure.Message);
        Assert.Contains("403", failure.Message);
    }

    [Fact]
    public async Task A_proxy_that_is_down_may_be_up_later()
    {
        _rig.Network.Fail($"127.0.0.1:{_proxy.Port}", SocketError.ConnectionRefused);

        var failure = await _rig.FailAsync(Of("/file"));
        Assert.Equal((SourceFault.Connect, true), (failure.Fault, failure.MayPass));
    }

    [Fact]
    public async Task A_proxy_that_says_nothing_is_not_waited_for_for_ever()
    {
        await using var silent = new BluntServer();
        _rig.Options.Proxy = $"http://127.0.0.1:{silent.Port}";

        var opening = _rig.FailAsync(Of("/file"));
        await silent.Spoken.WaitAsync(TestContext.Current.CancellationToken);
        _rig.Time.Step(_rig.Options.ConnectTimeout);
        var failure = await opening;
        Assert.Equal((SourceFault.ConnectTimeout, true), (failure.Fault, failure.MayPass));
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
        _rig.Dispose();
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    private Uri Of(string path) => _server.AddressOf(path, Mirror);
}
