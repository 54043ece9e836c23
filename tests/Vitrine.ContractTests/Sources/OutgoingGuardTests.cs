using System.Net;
using System.Net.Sockets;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>Whatever an address, a name server or a web server says, nothing leaves for where the policy does not allow.</summary>
public sealed class OutgoingGuardTests : IAsyncDisposable
{
    private const string Mirror = "mirror.example";
    private const string Public = "8.8.8.8";
    private readonly HttpRig _rig = new();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();

    public OutgoingGuardTests()
    {
        _rig.Network.Name(Mirror, Public).Lead($"{Public}:{_server.Port}", _server.Port);
        _server.Serve("/file", ScriptedContent.Generated(10));
    }

    [Theory]
    [InlineData("http://127.0.0.1/file")]
    [InlineData("http://127.0.0.1:22/file")]
    [InlineData("http://localhost@127.0.0.1/file")]
    [InlineData("http://2130706433/file")]
    [InlineData("http://0x7f.1/file")]
    [InlineData("http://0177.0.0.1/file")]
    [InlineData("http://127.1/file")]
    [InlineData("http://127.0.0.1./file")]
    [InlineData("http://[::1]/file")]
    [InlineData("http://[::]/file")]
    [InlineData("http://[::ffff:7f00:1]/file")]
    [InlineData("http://[64:ff9b::7f00:1]/file")]
    [InlineData("http://[2002:7f00:1::]/file")]
    [InlineData("http://[fe80::1%251]/file")]
    [InlineData("http://0.0.0.0/file")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("ftp://mirror.example/file")]
    [InlineData("file:///etc/passwd")]
    public async Task No_packet_leaves_for_a_hostile_address(string address)
    {
        var refused = await _rig.FailAsync(new Uri(address));

        Assert.Contains(refused.Fault, (SourceFault[])[SourceFault.Refused, SourceFault.MalformedUrl]);
        Assert.Empty(_rig.Network.Dialled);
        Assert.Empty(_rig.Network.Lookups);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/file")]
    [InlineData("http://2130706433:{0}/file")]
    [InlineData("http://0x7f000001:{0}/file")]
    [InlineData("http://017700000001:{0}/file")]
    [InlineData("http://127.1:{0}/file")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/file")]
    [InlineData("http://[::1]:{0}/file")]
    [InlineData("//127.0.0.1:{0}/file")]
    [InlineData("http://inner.example:{0}/file")]
    [InlineData("http://user:word@127.0.0.1:{0}/file")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://mirror.example/file")]
    [InlineData("gopher://127.0.0.1:{0}/x")]
    public async Task A_redirect_leads_no_further_than_an_address_of_its_own(string location)
    {
        _rig.Network.Name("inner.example", "127.0.0.1");
        _server.Redirect("/moved", string.Format(location, _server.Port));

        var refused = await _rig.FailAsync(Of("/moved"));
        Assert.Contains(refused.Fault, (SourceFault[])[SourceFault.Refused, SourceFault.MalformedUrl]);
        Assert.Single(_server.Requests);
        Assert.Equal([Public], _rig.Network.Dialled.Select(d => d.Address.ToString()));
    }

    [Theory]
    [InlineData("http://mirror.example\\@127.0.0.1/")]
    [InlineData("http://[::1/")]
    [InlineData("")]
    public async Task A_redirect_to_nowhere_is_an_answer_without_a_file(string location)
    {
        _server.Redirect("/moved", location);

        var refused = await _rig.FailAsync(Of("/moved"));
        Assert.Contains(refused.Fault, (SourceFault[])[SourceFault.Status, SourceFault.TooManyRedirects]);
        Assert.All(_rig.Network.Dialled, dialled => Assert.Equal(Public, dialled.Address.ToString()));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirects_are_followed_by_address_and_by_path(int status)
    {
        _server.Redirect("/moved", "/again", status);
        _server.Redirect("/again", $"http://other.example:{_server.Port}/file", status);
        _rig.Network.Name("other.example", "1.1.1.1").Lead($"1.1.1.1:{_server.Port}", _server.Port);

        await using var reading = await _rig.OpenAsync(Of("/moved"));
        Assert.Equal(10, reading.Length);
        Assert.Equal([Mirror, Mirror, "other.example"], _rig.Network.Lookups);
    }

    [Fact]
    public async Task A_range_is_asked_for_on_every_hop()
    {
        _server.Redirect("/moved", "/file");

        await using var reading = await _rig.OpenAsync(Of("/moved"), 4, "\"1\"");
        Assert.Equal(4, reading.Offset);
        Assert.All(_server.Requests, request => Assert.Equal(("bytes=4-", "\"1\""), (request.Header("Range"), request.Header("If-Range"))));
    }

    [Fact]
    public async Task Five_redirects_are_followed_and_not_one_more()
    {
        for (var i = 0; i < 6; i++)
            _server.Redirect($"/{i}", $"/{i + 1}");
        _server.Serve("/6", ScriptedContent.Generated(10));

        await (await _rig.OpenAsync(Of("/1"))).DisposeAsync();
        var refused = await _rig.FailAsync(Of("/0"));
        Assert.Equal((SourceFault.TooManyRedirects, false), (refused.Fault, refused.MayPass));
        Assert.Equal(12, _server.Requests.Count);
    }

    [Fact]
    public async Task A_name_is_looked_up_once_and_what_was_checked_is_what_is_connected_to()
    {
        // The second answer is what an attacker's name server would give to whoever looks again.
        _rig.Network.Name("rebound.example", Public).Name("rebound.example", "127.0.0.1");

        await using var reading = await _rig.OpenAsync(_server.AddressOf("/file", "rebound.example"));
        Assert.Equal(["rebound.example"], _rig.Network.Lookups);
        Assert.Equal([Public], _rig.Network.Dialled.Select(d => d.Address.ToString()));

        var refused = await _rig.FailAsync(_server.AddressOf("/file", "rebound.example"));
        Assert.Equal(SourceFault.Refused, refused.Fault);
        Assert.Single(_rig.Network.Dialled);
    }

    [Fact]
    public async Task A_name_that_turns_inward_during_redirects_is_caught_at_its_hop()
    {
        _rig.Network.Name("rebound.example", Public).Name("rebound.example", "::ffff:127.0.0.1");
        _server.Redirect("/moved", "/file");

        Assert.Equal(SourceFault.Refused, (await _rig.FailAsync(_server.AddressOf("/moved", "rebound.example"))).Fault);
        Assert.Single(_server.Requests);
    }

    [Theory]
    [InlineData(Public, "10.0.0.1")]
    [InlineData("10.0.0.1", Public)]
    [InlineData(Public, "::1")]
    [InlineData(Public, "64:ff9b::10.0.0.1")]
    public async Task One_inner_address_is_enough_to_refuse_a_name(string first, string second)
    {
        _rig.Network.Name("mixed.example", first, second);

        Assert.Equal(SourceFault.Refused, (await _rig.FailAsync(_server.AddressOf("/file", "mixed.example"))).Fault);
        Assert.Empty(_rig.Network.Dialled);
    }

    [Fact]
    public async Task Open_and_closed_inner_ports_look_the_same()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var closedPort = ((IPEndPoint)closed.LocalEndPoint!).Port;

        var onOpen = await _rig.FailAsync(new Uri($"http://127.0.0.1:{_server.Port}/file"));
        var onClosed = await _rig.FailAsync(new Uri($"http://127.0.0.1:{closedPort}/file"));

        Assert.Equal((onOpen.Fault, onOpen.Message), (onClosed.Fault, onClosed.Message));
        Assert.Empty(_rig.Network.Dialled);
        Assert.Equal(0, _server.Connections);
    }

    [Fact]
    public async Task Open_and_closed_ports_behind_an_inner_name_look_the_same()
    {
        _rig.Network.Name("inner.example", "127.0.0.1");

        var onOpen = await _rig.FailAsync(new Uri($"http://inner.example:{_server.Port}/file"));
        var onClosed = await _rig.FailAsync(new Uri("http://inner.example:1/file"));

        Assert.Equal((onOpen.Fault, onOpen.Message), (onClosed.Fault, onClosed.Message));
        Assert.Equal(0, _server.Connections);
    }

    [Fact]
    public async Task With_known_mirrors_another_host_is_not_even_looked_up()
    {
        _rig.Options.OnlyHosts.Add(Mirror);
        _rig.Network.Name("other.example", Public);
        _server.Redirect("/moved", $"http://other.example:{_server.Port}/file");

        Assert.Equal(SourceFault.Refused, (await _rig.FailAsync(_server.AddressOf("/file", "other.example"))).Fault);
        Assert.Empty(_rig.Network.Lookups);
        Assert.Equal(0, _server.Connections);

        Assert.Equal(SourceFault.Refused, (await _rig.FailAsync(Of("/moved"))).Fault);
        Assert.Equal([Mirror], _rig.Network.Lookups);
    }

    [Fact]
    public async Task An_inner_mirror_that_is_allowed_by_name_can_be_read()
    {
        _rig.Options.AllowedHosts.Add("inner.example");
        _rig.Network.Name("inner.example", "127.0.0.1");

        await using var reading = await _rig.OpenAsync(_server.AddressOf("/file", "inner.example"));
        Assert.Equal(10, reading.Length);
        Assert.Equal(SourceFault.Refused, (await _rig.FailAsync(_server.AddressOf("/file"))).Fault);
    }

    [Fact]
    public async Task A_login_goes_to_its_host_alone()
    {
        _server.Redirect("/same", "/other");
        _server.Redirect("/other", $"http://other.example:{_server.Port}/back");
        _server.Redirect("/back", Of("/file").ToString());
        _rig.Network.Name("other.example", "1.1.1.1").Lead($"1.1.1.1:{_server.Port}", _server.Port);

        await using var reading = await _rig.OpenAsync(_server.AddressOf("/same", Mirror, "user:word"));

        // Not even back to its own host: the detour may have chosen the path.
        Assert.Equal(["Basic dXNlcjp3b3Jk", "Basic dXNlcjp3b3Jk", null, null], _server.Requests.Select(r => r.Header("Authorization")));
    }

    [Fact]
    public async Task A_login_goes_to_no_other_port()
    {
        await using var other = ScriptedHttpServer.Start();
        other.Serve("/file", ScriptedContent.Generated(10));
        _server.Redirect("/moved", $"http://{Mirror}:{other.Port}/file");
        _rig.Network.Lead($"{Public}:{other.Port}", other.Port);

        await using var reading = await _rig.OpenAsync(_server.AddressOf("/moved", Mirror, "user:word"));
        Assert.Null(Assert.Single(other.Requests).Header("Authorization"));
    }

    [Fact]
    public async Task A_request_says_who_we_are_and_no_more()
    {
        await using var reading = await _rig.OpenAsync(Of("/file?a=b"));

        var request = Assert.Single(_server.Requests);
        Assert.Equal(("GET", "/file?a=b"), (request.Method, request.Target));
        Assert.Equal(["Accept-Encoding", "Connection", "Host", "User-Agent"], request.Headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal($"{Mirror}:{_server.Port}", request.Header("Host"));
        Assert.Equal("identity", request.Header("Accept-Encoding"));
        Assert.Matches(@"^Vitrine/\d+\.\d+\.\d+$", request.Header("User-Agent"));
    }

    [Fact]
    public async Task Cookies_are_not_brought_back()
    {
        var moved = _server.Redirect("/moved", "/file");
        moved.MoreHeaders.Add("Set-Cookie: session=1; Path=/");

        await using var reading = await _rig.OpenAsync(Of("/moved"));
        Assert.All(_server.Requests, request => Assert.Null(request.Header("Cookie")));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
    }

    private Uri Of(string path) => _server.AddressOf(path, Mirror);
}
