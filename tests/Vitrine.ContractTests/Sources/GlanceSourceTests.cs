using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

public sealed class GlanceSourceTests : SourceContract
{
    private const string Path = "/image/v2/images/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213/file";
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly ISource _source;

    public GlanceSourceTests() => _source = _rig.CreateGlanceSource();

    private protected override ISource Source => _source;
    private protected override Uri InnerAddress => new($"glance+http://:canary@10.0.0.1{Path}");

    private Uri Address => new($"glance+http://:a-token%3D@127.0.0.1:{_server.Port}{Path}");

    private protected override ScriptedFile Serve(ScriptedContent content, out Uri address)
    {
        address = Address;
        return _server.Serve(Path, content);
    }

    [Fact]
    public override async Task A_probe_tells_of_a_file_without_reading_it()
    {
        Serve(ScriptedContent.Generated(1000), out var address);

        var probe = await Source.ProbeAsync(address, Stop);
        Assert.Equal((200, 1000, $"http://127.0.0.1:{_server.Port}{Path}"), (probe.Status, probe.Length!.Value, probe.FinalAddress));
    }

    [Fact]
    public async Task The_token_is_sent_as_image_services_want_it_and_to_no_other_host()
    {
        await using var elsewhere = ScriptedHttpServer.Start();
        elsewhere.Serve("/file", ScriptedContent.Generated(10));
        _server.Redirect(Path, elsewhere.AddressOf("/file").AbsoluteUri);

        await (await Source.OpenAsync(Address, 0, null, Stop)).DisposeAsync();
        Assert.Equal("a-token=", Assert.Single(_server.Requests).Header("X-Auth-Token"));
        Assert.Null(Assert.Single(elsewhere.Requests).Header("X-Auth-Token"));
    }

    [Theory]
    [InlineData("glance+http://127.0.0.1/file")]
    [InlineData("glance+http://:@127.0.0.1/file")]
    [InlineData("glance+http://:a%0D%0Ab:c@127.0.0.1/file")]
    [InlineData("glance+http://:canary%20x@127.0.0.1/file")]
    public async Task An_address_without_a_token_is_refused(string address)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => Source.OpenAsync(new Uri(address), 0, null, Stop));
        Assert.Equal(SourceFault.MalformedUrl, failure.Fault);
        Assert.DoesNotContain("canary", failure.ToString(), StringComparison.Ordinal);
        Assert.Empty(_rig.Network.Dialled);
    }

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
    }
}
