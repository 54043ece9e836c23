using System.Text;
using Vitrine.Sources;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

public sealed class LibrarySourceTests : SourceContract
{
    private const string Image = "0192f0c1-2d3e-7a4b-8c5d-6e7f80910213";
    private const string Path = $"/api/v1/images/{Image}/file";
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly ISource _source;

    public LibrarySourceTests()
    {
        _rig.Options.Libraries.Add(LibraryAt($"http://127.0.0.1:{_server.Port}", "other"));
        _rig.Options.Libraries.Add(LibraryAt("http://10.0.0.1", "inner"));
        _source = _rig.CreateLibrarySource();
        Answer(201, """{"token": "a-token", "expiresAt": "2026-01-01"}""");
    }

    private protected override ISource Source => _source;
    private protected override Uri InnerAddress => new($"vitrine://inner/{Image}");

    private static Uri Address => new($"vitrine://other/{Image}");

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
    public async Task The_token_is_for_the_library_alone()
    {
        await using var elsewhere = ScriptedHttpServer.Start();
        elsewhere.Serve("/file", ScriptedContent.Generated(10));
        _server.Redirect(Path, elsewhere.AddressOf("/file").AbsoluteUri);

        await (await Source.OpenAsync(Address, 0, null, Stop)).DisposeAsync();
        Assert.Equal([null, "Bearer a-token"], _server.Requests.Select(r => r.Header("Authorization")));
        Assert.Null(Assert.Single(elsewhere.Requests).Header("Authorization"));
    }

    [Fact]
    public async Task The_credential_follows_no_redirect()
    {
        await using var elsewhere = ScriptedHttpServer.Start();
        _server.Redirect("/api/v1/tokens", elsewhere.AddressOf("/api/v1/tokens").AbsoluteUri, 307);

        await FailAsync(SourceFault.Status);
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [InlineData(401, "{}", SourceFault.Login)]
    [InlineData(404, "{}", SourceFault.Status)]
    [InlineData(503, "{}", SourceFault.Status)]
    [InlineData(201, "{}", SourceFault.Broken)]
    [InlineData(201, "[]", SourceFault.Broken)]
    [InlineData(201, "", SourceFault.Broken)]
    [InlineData(201, "{\"token\": 7}", SourceFault.Broken)]
    [InlineData(201, "{\"token\": \"a\\r\\nb: canary\"}", SourceFault.Broken)]
    public async Task What_is_no_login_is_told(int status, string answer, SourceFault fault)
    {
        Answer(status, answer);
        await FailAsync(fault);
    }

    [Theory]
    [InlineData("vitrine://unknown/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213", SourceFault.Login)]
    [InlineData("vitrine://other/", SourceFault.MalformedUrl)]
    [InlineData("vitrine://other/../tokens", SourceFault.MalformedUrl)]
    [InlineData("vitrine://other/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213/x", SourceFault.MalformedUrl)]
    [InlineData("vitrine://other/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213?format=raw", SourceFault.MalformedUrl)]
    [InlineData("vitrine://user:canary@other/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213", SourceFault.MalformedUrl)]
    public async Task What_names_no_image_of_a_known_library_is_refused(string address, SourceFault fault)
    {
        await FailAsync(fault, address);
        Assert.Empty(_rig.Network.Dialled);
    }

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
    }

    private static LibraryCredential LibraryAt(string address, string name) =>
        new() { Name = name, Address = address, CredentialId = "id", CredentialSecret = "canary" };

    private void Answer(int status, string text) => _server.Serve("/api/v1/tokens", ScriptedContent.Of([])).RawAnswer =
        Encoding.UTF8.GetBytes($"HTTP/1.1 {status} Scripted\r\nContent-Length: {text.Length}\r\n\r\n{text}");

    private async Task FailAsync(SourceFault fault, string? address = null)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => Source.OpenAsync(address is null ? Address : new Uri(address), 0, null, Stop));
        Assert.Equal(fault, failure.Fault);
        Assert.DoesNotContain("canary", failure.ToString());
    }
}
