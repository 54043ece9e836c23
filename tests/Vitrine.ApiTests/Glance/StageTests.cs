using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;

namespace Vitrine.ApiTests.Glance;

/// <summary>Data that is staged, and imported by <c>glance-direct</c>.</summary>
public sealed class StageTests(LibraryHost host) : GlanceTest(host)
{
    private const string ImportBody = """{"method":{"name":"glance-direct"}}""";

    [Fact]
    public async Task Staged_data_is_the_image_s_once_it_is_imported()
    {
        var id = await Member.CreateAsync();
        Assert.Equal(HttpStatusCode.NoContent, (await StageAsync(id, [1, 2, 3])).Status);
        var staged = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal(("uploading", 3), (staged.Text("status"), staged.Json["size"]!.GetValue<int>()));
        Assert.Equal([id], (await Member.GetAsync("/v2/images?status=uploading")).Each("images", "id"));
        Assert.Equal(HttpStatusCode.NoContent, (await Member.GetAsync($"/v2/images/{id}/file")).Status);
        Assert.Empty((await Member.GetAsync($"/v2/images/{id}/tasks")).Each("tasks", "id"));

        var accepted = await ImportAsync(id);
        Assert.Equal(HttpStatusCode.Accepted, accepted.Status);
        await WhenIdleAsync();

        var active = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal(("active", "fast"), (active.Text("status"), active.Text("stores")));
        Assert.Equal([1, 2, 3], (await Member.GetAsync($"/v2/images/{id}/file")).Body);
        var task = (await Member.GetAsync($"/v2/images/{id}/tasks")).Json["tasks"]![0]!;
        Assert.Equal("success", task["status"]!.GetValue<string>());
        Assert.Equal("glance-direct", task["input"]!["import_req"]!["method"]!["name"]!.GetValue<string>());
        Assert.Equal(accepted.Headers["x-openstack-request-id"], task["request_id"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(""","stores":["slow"]""", "slow")]
    [InlineData(""","stores":["slow","fast"]""", "fast,slow")]
    [InlineData(""","all_stores":true,"all_stores_must_succeed":false""", "fast,slow")]
    public async Task Staged_data_comes_into_the_stores_that_are_asked_for(string more, string stores)
    {
        var id = await Member.CreateAsync();
        await StageAsync(id, new byte[70_000]);
        Assert.Equal(HttpStatusCode.Accepted, (await ImportAsync(id, more)).Status);
        await WhenIdleAsync();

        var active = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal(("active", stores), (active.Text("status"), active.Text("stores")));
        Assert.Equal(new byte[70_000], (await Member.GetAsync($"/v2/images/{id}/file")).Body);
    }

    [Fact]
    public async Task Nothing_else_may_be_done_with_an_image_that_is_staged()
    {
        var id = await Member.CreateAsync();
        await StageAsync(id, [1]);

        Refused(HttpStatusCode.Conflict, await StageAsync(id, [2]));
        Refused(HttpStatusCode.Conflict, await Member.UploadAsync(id, [2]));
        Refused(HttpStatusCode.Conflict, await Member.PostAsync(
            $"/v2/images/{id}/import", """{"method":{"name":"web-download","uri":"http://x.test/"}}"""));
        Refused(HttpStatusCode.Forbidden, await Member.PatchAsync(id, """[{"op":"replace","path":"/disk_format","value":"qcow2"}]"""));
        Refused(HttpStatusCode.Forbidden, await Member.PostAsync($"/v2/images/{id}/actions/deactivate"));
        Assert.Equal(HttpStatusCode.NoContent, (await Member.DeleteAsync($"/v2/images/{id}")).Status);
    }

    [Fact]
    public async Task Data_is_staged_for_an_image_of_one_s_own_that_waits_for_data()
    {
        var active = await Member.CreateActiveAsync([1]);
        Refused(HttpStatusCode.Conflict, await StageAsync(active, [1]));
        Refused(HttpStatusCode.Conflict, await ImportAsync(active));
        Refused(HttpStatusCode.NotFound, await StageAsync(Guid.NewGuid().ToString(), [1]));
        var (_, neighbour) = await NewNeighbourAsync();
        Refused(HttpStatusCode.NotFound, await StageAsync(await neighbour.CreateAsync(), [1]));
        Refused(HttpStatusCode.Forbidden, await StageAsync(await Member.CreateAsync(), [1], Reader));

        var id = await Member.CreateAsync();
        Refused(HttpStatusCode.UnsupportedMediaType, await Member.SendAsync("PUT", $"/v2/images/{id}/stage", new StringContent("text")));
        Refused(HttpStatusCode.BadRequest, await StageAsync(id, []));
        Refused(HttpStatusCode.RequestEntityTooLarge, await StageAsync(id, new byte[LibraryHost.MaxImageSize + 1]));
        Assert.Equal("queued", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
        Assert.Equal(HttpStatusCode.NoContent, (await StageAsync(id, [1])).Status);
    }

    [Fact]
    public async Task What_is_no_such_image_is_found_out_by_its_import_and_may_be_staged_again()
    {
        var id = await Member.CreateAsync(formats: """ "disk_format": "qcow2", "container_format": "bare" """);
        await StageAsync(id, [1, 2, 3]);
        Assert.Equal(HttpStatusCode.Accepted, (await ImportAsync(id)).Status);
        await WhenIdleAsync();

        var failed = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal(("queued", "fast"), (failed.Text("status"), failed.Text("os_glance_failed_import")));
        Assert.Equal("failure", (await Member.GetAsync($"/v2/images/{id}/tasks")).Each("tasks", "status").Single());
        Assert.Equal(HttpStatusCode.NoContent, (await StageAsync(id, [1])).Status);
    }

    private Task<GlanceReply> ImportAsync(string id, string more = "") =>
        Member.PostAsync($"/v2/images/{id}/import", ImportBody[..^1] + more + "}");

    private Task<GlanceReply> StageAsync(string id, byte[] bytes, GlanceCaller? caller = null)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return (caller ?? Member).SendAsync("PUT", $"/v2/images/{id}/stage", content);
    }

    private Task WhenIdleAsync() => Host.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
}
