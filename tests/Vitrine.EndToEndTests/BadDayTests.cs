using System.Net;
using Vitrine.Client;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.EndToEndTests;

/// <summary>What the world does to a server, and what a user is told.</summary>
public sealed class BadDayTests
{
    [FactWithMount]
    public async Task A_full_store_is_called_full_and_keeps_nothing()
    {
        using var disk = TinyDisk.Mount(2 << 20);
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_STORES__small__KIND"] = "directory",
            ["VITRINE_STORES__small__PATH"] = disk.Root,
        });
        using var client = server.NewClient();

        // Once with a length, which is refused before the first byte, and once without, which fails on the way.
        mirror.Serve("/known.img", ScriptedContent.Generated(64 << 20));
        mirror.Serve("/unknown.img", ScriptedContent.Generated(64 << 20, 2)).Framing = BodyFraming.Chunked;
        foreach (var path in new[] { "/known.img", "/unknown.img" })
        {
            var transfer = await ImportAsync(client, mirror, path);
            Assert.Equal(("failed", "store-full"), (transfer.State, transfer.Failure?.Code));
        }

        Assert.Empty(Directory.GetFiles(Path.Combine(disk.Root, "staging")));
    }

    [FactWithMount]
    public async Task A_store_that_became_read_only_is_named_and_what_it_has_is_still_given()
    {
        using var disk = TinyDisk.Mount(8 << 20);
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_STORES__worn__KIND"] = "directory",
            ["VITRINE_STORES__worn__PATH"] = disk.Root,
            ["VITRINE_LIBRARY__MAXFRUITLESSATTEMPTS"] = "1",
        });
        using var client = server.NewClient();
        mirror.Serve("/before.img", ScriptedContent.Generated(1 << 20));
        mirror.Serve("/after.img", ScriptedContent.Generated(1 << 20, 2));
        var before = await ImportAsync(client, mirror, "/before.img");
        disk.MakeReadOnly();

        var after = await ImportAsync(client, mirror, "/after.img");

        Assert.Equal("done", before.State);
        Assert.Equal(("failed", "store-unavailable"), (after.State, after.Failure?.Code));
        Assert.Contains("read-only", after.Failure!.Cause, StringComparison.Ordinal);
        var copy = Path.Combine(server.Data, "copy.img");
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), ["image", "pull", before.Image, "--output", copy], server.VitrineEnvironment)).Succeeded();
        Assert.Equal(1 << 20, new FileInfo(copy).Length);
    }

    [Theory]
    [InlineData("/missing.img", "source-status")]
    [InlineData("/page.html", "not-an-image")]
    [InlineData("/short.img", "source-broken")]
    [InlineData("/empty.img", "empty-content")]
    public async Task A_source_that_gives_no_image_is_named_with_its_fault(string path, string code)
    {
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_LIBRARY__MAXFRUITLESSATTEMPTS"] = "2",
        });
        using var client = server.NewClient();
        mirror.Serve("/page.html", ScriptedContent.Of("<!doctype html><title>Log in</title>"u8.ToArray()));
        var cut = mirror.Serve("/short.img", ScriptedContent.Generated(1 << 20));
        cut.CutAfter = _ => 0;
        mirror.Serve("/empty.img", ScriptedContent.Of([]));

        var transfer = await ImportAsync(client, mirror, path);

        Assert.Equal(("failed", code), (transfer.State, transfer.Failure?.Code));
        Assert.NotEmpty(transfer.Failure!.Remedy);
        Assert.Empty(Directory.GetFiles(Path.Combine(server.Data, "store", "content"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task An_inner_network_is_refused_at_once_and_leaves_no_record()
    {
        await using var server = await ServerProcess.StartAsync();
        using var client = server.NewClient();

        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => client.CreateImageAsync(
            new ImageCreate { Name = "inner", Source = new ImageSource { Url = "http://169.254.169.254/latest/meta-data" } }, Stop));

        Assert.Equal("source-refused", refused.Code);
        await foreach (var image in client.ListImagesAsync([], Stop))
            Assert.Fail($"{image.Name} was recorded");
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task A_server_that_is_told_to_stop_does_so_even_if_its_database_is_gone(bool isGone, int code)
    {
        await using var server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["VITRINE_SERVER__STOPTIMEOUT"] = "00:00:02" });
        if (isGone)
        {
            foreach (var file in Directory.GetFiles(server.Data, "*.db*"))
                File.Delete(file);
        }

        Assert.Equal(code, await server.TerminateAsync());
    }

    [Fact]
    public async Task A_second_server_does_not_start_in_the_same_directory()
    {
        await using var server = await ServerProcess.StartAsync();

        var second = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(data: server.Data));

        Assert.Contains("in use", second.Message);
    }

    [Fact]
    public async Task Monitoring_sees_a_living_ready_server_and_its_figures()
    {
        await using var server = await ServerProcess.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler());

        Assert.Equal("ok\n", await http.GetStringAsync(new Uri($"{server.Url}/healthz"), Stop));
        var metrics = await http.GetStringAsync(new Uri($"{server.Url}/metrics"), Stop);
        Assert.Contains("vitrine_store_bytes{kind=\"stored\",store=\"default\"} 0", metrics);
        Assert.Contains("http_server_request_duration_seconds_count", metrics);
        using var anonymous = await http.GetAsync(new Uri($"{server.Url}/api/v1/images"), Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
    }

    private static async Task<TransferRecord> ImportAsync(LibraryClient client, ScriptedHttpServer mirror, string path)
    {
        var created = await client.CreateImageAsync(
            new ImageCreate { Name = "bad day", Source = new ImageSource { Url = mirror.AddressOf(path).ToString() } }, Stop);
        TransferRecord last = created.Transfer!;
        await foreach (var transfer in client.WatchTransferAsync(last.Id, Stop))
            last = transfer;
        return last;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
