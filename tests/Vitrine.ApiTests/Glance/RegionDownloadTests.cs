using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vitrine.OpenStack.Identity;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Glance;

/// <summary>Imports from other regions, with the caller's token.</summary>
public sealed class RegionDownloadTests(LibraryHost host) : GlanceTest(host)
{
    private const string Remote = "0192f0c1-2d3e-7a4b-8c5d-6e7f80910213";

    [Fact]
    public async Task An_image_comes_with_its_formats_and_what_it_is_for()
    {
        // A region that shares its identity service with this one is this one, as far as tokens go.
        Configure("RegionTwo", $"{Host.Address}/image");
        var source = await Member.CreateActiveAsync(
            [1, 2, 3], """ "hw_disk_bus": "scsi", "os_distro": "debian", "team": "storage", "os_type": "linux" """);
        var id = await Member.CreateAsync(formats: "");
        var accepted = await ImportAsync(id, "RegionTwo", source);
        Assert.Equal(HttpStatusCode.Accepted, accepted.Status);
        await WhenIdleAsync();

        var active = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal(("active", "raw", "bare"), (active.Text("status"), active.Text("disk_format"), active.Text("container_format")));
        Assert.Equal(("scsi", "debian", "linux"), (active.Text("hw_disk_bus"), active.Text("os_distro"), active.Text("os_type")));
        Assert.False(active.Json.ContainsKey("team"));
        Assert.Equal([1, 2, 3], (await Member.GetAsync($"/v2/images/{id}/file")).Body);
        var tasks = await Member.GetAsync($"/v2/images/{id}/tasks");
        Assert.Equal("glance-download", tasks.Json["tasks"]![0]!["input"]!["import_req"]!["method"]!["name"]!.GetValue<string>());
        Assert.DoesNotContain(Project.Member, tasks.BodyText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_s_own_region_is_one_like_others()
    {
        var source = await Member.CreateActiveAsync([4]);
        var id = await Member.CreateAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await ImportAsync(id, "RegionOne", source)).Status);
        await WhenIdleAsync();
        Assert.Equal("active", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
    }

    [Fact]
    public async Task A_connection_that_is_cut_is_gone_on_with_where_it_was()
    {
        await using var server = ScriptedHttpServer.Start();
        Configure("Cut", $"http://127.0.0.1:{server.Port}");
        server.Serve($"/v2/images/{Remote}", ScriptedContent.Of(Encoding.UTF8.GetBytes(
            """{"status":"active","disk_format":"raw","container_format":"bare","size":300000,"hw_rng_model":7}""")));
        var content = ScriptedContent.Generated(300_000);
        var file = server.Serve($"/v2/images/{Remote}/file", content);

        // Glance marks its files by nothing but their length.
        file.ETag = null;
        file.CutAfter = request => request.Header("Range") is null ? 100_000 : null;
        var id = await Member.CreateAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await ImportAsync(id, "Cut", Remote)).Status);
        await WhenIdleAsync();

        Assert.Equal(content.ToArray(), (await Member.GetAsync($"/v2/images/{id}/file")).Body);
        Assert.Equal("bytes=100000-", server.Requests[^1].Header("Range"));
        Assert.All(server.Requests, request => Assert.Equal(Project.Member, request.Header("X-Auth-Token")));
    }

    [Theory]
    [InlineData("Nowhere", Remote, "")]
    [InlineData("Scripted", Remote, "")]
    [InlineData("Scripted", Remote, "[]")]
    [InlineData("Scripted", Remote, "{\"status\":\"queued\"}")]
    [InlineData("Scripted", Remote, "{\"status\":\"active\",\"disk_format\":\"floppy\"}")]
    public async Task What_cannot_be_fetched_fails_and_leaves_the_image_as_it_was(string region, string image, string answer)
    {
        await using var server = ScriptedHttpServer.Start();
        Configure("Scripted", $"http://127.0.0.1:{server.Port}");
        if (answer.Length > 0)
            server.Serve($"/v2/images/{Remote}", ScriptedContent.Of(Encoding.UTF8.GetBytes(answer)));
        var id = await Member.CreateAsync(""" "os_distro": "windows" """);

        Assert.Equal(HttpStatusCode.Accepted, (await ImportAsync(id, region, image)).Status);
        var queued = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal(("queued", "raw", "windows", "fast"), (queued.Text("status"), queued.Text("disk_format"), queued.Text("os_distro"), queued.Text("os_glance_failed_import")));
        Assert.Equal(["failure"], (await Member.GetAsync($"/v2/images/{id}/tasks")).Each("tasks", "status"));
    }

    [Theory]
    [InlineData("""{"method":{"name":"glance-download"}}""")]
    [InlineData("""{"method":{"name":"glance-download","glance_region":"RegionOne"}}""")]
    [InlineData("""{"method":{"name":"glance-download","glance_image_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f80910213"}}""")]
    [InlineData("""{"method":{"name":"glance-download","glance_region":"RegionOne","glance_image_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f80910213","glance_service_interface":7}}""")]
    [InlineData("""{"method":{"name":"glance-download","glance_region":"RegionOne","glance_image_id":"x"}}""")]
    public async Task What_is_not_said_is_asked_for(string body) =>
        Refused(HttpStatusCode.BadRequest, await Member.PostAsync($"/v2/images/{await Member.CreateAsync()}/import", body));

    private Task<GlanceReply> ImportAsync(string id, string region, string image) => Member.PostAsync(
        $"/v2/images/{id}/import",
        $$$"""{"method":{"name":"glance-download","glance_region":"{{{region}}}","glance_image_id":"{{{image}}}","glance_service_interface":"public"}}""");

    private void Configure(string region, string address) =>
        Host.Services.GetRequiredService<IOptions<OpenStackOptions>>().Value.Regions[region] = new RegionOptions { Image = address };

    private Task WhenIdleAsync() => Host.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
}
