using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Glance;

public sealed class ImportTests(LibraryHost host) : GlanceTest(host)
{
    [Fact]
    public async Task An_import_is_followed_by_its_markers_until_the_image_is_active()
    {
        await using var server = ScriptedHttpServer.Start();
        var content = ScriptedContent.Generated(300_000);
        var file = server.Serve("/debian.raw", content);
        file.StallAfter = 1000;
        var id = await Member.CreateAsync();

        var accepted = await ImportAsync(id, server.AddressOf("/debian.raw", login: "user:secret"));
        Assert.Equal(HttpStatusCode.Accepted, accepted.Status);
        Assert.Empty(accepted.Body);
        await file.Stalled.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Stop);

        var importing = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal("importing", importing.Text("status"));
        Assert.Equal("fast", importing.Text("os_glance_importing_to_stores"));
        var task = (await Member.GetAsync($"/v2/images/{id}/tasks")).Json["tasks"]![0]!.AsObject();
        Assert.Equal(importing.Text("os_glance_import_task"), task["id"]!.GetValue<string>());
        Assert.Equal("processing", task["status"]!.GetValue<string>());
        Refused(HttpStatusCode.Conflict, await ImportAsync(id, server.AddressOf("/debian.raw")));
        Refused(HttpStatusCode.Conflict, await Member.UploadAsync(id, [1]));

        file.Release();
        await WhenIdleAsync();
        var active = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal("active", active.Text("status"));
        Assert.Equal("fast", active.Text("stores"));
        Assert.Equal("", active.Text("os_glance_importing_to_stores"));
        Assert.Equal("", active.Text("os_glance_failed_import"));
        Assert.False(active.Json.ContainsKey("os_glance_import_task"));
        Assert.Equal(content.ToArray(), (await Member.GetAsync($"/v2/images/{id}/file")).Body);
    }

    [Fact]
    public async Task A_task_tells_who_asked_for_what_by_which_request()
    {
        await using var server = ScriptedHttpServer.Start();
        server.Serve("/i", ScriptedContent.Of([1, 2, 3]));
        var id = await Member.CreateAsync();
        var accepted = await ImportAsync(id, server.AddressOf("/i", login: "user:secret"), ""","stores":["slow"]""");
        await WhenIdleAsync();

        var reply = await Member.GetAsync($"/v2/images/{id}/tasks");
        var task = reply.Json["tasks"]![0]!.AsObject();
        Assert.Equal("api_image_import", task["type"]!.GetValue<string>());
        Assert.Equal("success", task["status"]!.GetValue<string>());
        Assert.Equal(id, task["image_id"]!.GetValue<string>());
        Assert.Equal(id, task["result"]!["image_id"]!.GetValue<string>());
        Assert.Equal(Project.Id.Value, task["owner"]!.GetValue<string>());
        Assert.NotNull(task["user_id"]);
        Assert.Equal(accepted.Headers["x-openstack-request-id"], task["request_id"]!.GetValue<string>());
        Assert.Equal("web-download", task["input"]!["import_req"]!["method"]!["name"]!.GetValue<string>());
        Assert.Equal("slow", task["input"]!["backend"]![0]!.GetValue<string>());
        Assert.Equal("slow", (await Member.GetAsync($"/v2/images/{id}")).Text("stores"));
        Assert.DoesNotContain("secret", reply.BodyText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_import_leaves_the_image_queued_and_names_the_store()
    {
        await using var server = ScriptedHttpServer.Start();
        var id = await Member.CreateAsync();
        await ImportAsync(id, server.AddressOf("/missing"));
        await WhenIdleAsync();

        var failed = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal("queued", failed.Text("status"));
        Assert.Equal("fast", failed.Text("os_glance_failed_import"));
        Assert.Contains("404", (await Member.GetAsync($"/v2/images/{id}/tasks")).Each("tasks", "message").Single(), StringComparison.Ordinal);
        Assert.Contains(id, (await Member.GetAsync("/v2/images?status=queued")).Each("images", "id"));

        server.Serve("/i", ScriptedContent.Of([1]));
        Assert.Equal(HttpStatusCode.Accepted, (await ImportAsync(id, server.AddressOf("/i"))).Status);
        await WhenIdleAsync();
        Assert.Equal("active", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
        Assert.Equal(["success", "failure"], (await Member.GetAsync($"/v2/images/{id}/tasks")).Each("tasks", "status"));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("[]", 400)]
    [InlineData("{}", 400)]
    [InlineData("""{"method":"web-download"}""", 400)]
    [InlineData("""{"method":{}}""", 400)]
    [InlineData("""{"method":{"name":7}}""", 400)]
    [InlineData("""{"method":{"name":"glance-indirect"}}""", 400)]
    [InlineData("""{"method":{"name":"glance-direct"}}""", 409)]
    [InlineData("""{"method":{"name":"web-download"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":7}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"not a uri"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"file:///etc/passwd"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://169.254.169.254/"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://0x7f.1/x y"},"stores":"fast"}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://x.test/"},"all_stores":"yes"}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://x.test/"},"all_stores":true,"stores":["fast"]}""", 400)]
    [InlineData("""{"method":{"name":"copy-image"},"all_stores":true}""", 409)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://x.test/"},"stores":["nowhere"]}""", 409)]
    public async Task A_bad_import_is_refused_and_changes_nothing(string body, int status)
    {
        var id = await Member.CreateAsync();

        Refused((HttpStatusCode)status, await Member.PostAsync($"/v2/images/{id}/import", body));
        Assert.Equal("queued", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
    }

    [Fact]
    public async Task An_import_needs_an_image_without_data_with_its_formats_set()
    {
        var address = new Uri("http://127.0.0.1:1/");
        Refused(HttpStatusCode.Conflict, await ImportAsync(await Member.CreateActiveAsync([1]), address));
        Refused(HttpStatusCode.BadRequest, await ImportAsync(await Member.CreateAsync(formats: ""), address));
        Refused(HttpStatusCode.NotFound, await ImportAsync(Guid.NewGuid().ToString(), address));
    }

    [Fact]
    public async Task An_import_to_all_stores_is_active_with_the_first_and_named_in_all_in_the_end()
    {
        await using var server = ScriptedHttpServer.Start();
        server.Serve("/i", ScriptedContent.Of([1, 2, 3]));
        var id = await Member.CreateAsync();
        var accepted = await ImportAsync(id, server.AddressOf("/i"), ""","all_stores":true,"all_stores_must_succeed":true""");
        await WhenIdleAsync();

        Assert.Equal(HttpStatusCode.Accepted, accepted.Status);
        var active = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal(("active", "fast,slow"), (active.Text("status"), active.Text("stores")));
        Assert.Equal(("", ""), (active.Text("os_glance_importing_to_stores"), active.Text("os_glance_failed_import")));
        var tasks = await Member.GetAsync($"/v2/images/{id}/tasks");
        Assert.Equal(["success"], tasks.Each("tasks", "status"));
        Assert.Equal(["web-download"], tasks.Json["tasks"]!.AsArray().Select(t => t!["input"]!["import_req"]!["method"]!["name"]!.GetValue<string>()));
    }

    [Fact]
    public async Task An_image_is_copied_to_other_stores_and_taken_out_of_them()
    {
        var id = await Member.CreateActiveAsync([4, 5, 6]);
        Refused(HttpStatusCode.Forbidden, await Member.DeleteAsync($"/v2/stores/fast/{id}"));
        Refused(HttpStatusCode.NotFound, await Member.DeleteAsync($"/v2/stores/slow/{id}"));
        Refused(HttpStatusCode.Conflict, await Member.DeleteAsync($"/v2/stores/nowhere/{id}"));

        var copied = await Member.PostAsync($"/v2/images/{id}/import", """{"method":{"name":"copy-image"},"stores":["slow"]}""");
        await WhenIdleAsync();
        Assert.Equal(HttpStatusCode.Accepted, copied.Status);
        Assert.Equal("fast,slow", (await Member.GetAsync($"/v2/images/{id}")).Text("stores"));
        Refused(HttpStatusCode.Conflict, await Member.PostAsync($"/v2/images/{id}/import", """{"method":{"name":"copy-image"},"stores":["slow"]}"""));
        var nothing = await Member.PostAsync($"/v2/images/{id}/import", """{"method":{"name":"copy-image"},"all_stores":true}""");
        Assert.Equal(HttpStatusCode.Accepted, nothing.Status);
        Assert.Equal("", (await Member.GetAsync($"/v2/images/{id}")).Text("os_glance_importing_to_stores"));

        Assert.Equal(HttpStatusCode.NoContent, (await Member.DeleteAsync($"/v2/stores/fast/{id}")).Status);
        Assert.Equal("slow", (await Member.GetAsync($"/v2/images/{id}")).Text("stores"));
        Assert.Equal([4, 5, 6], (await Member.GetAsync($"/v2/images/{id}/file")).Body);
    }

    [Fact]
    public async Task With_one_store_all_stores_are_that_one()
    {
        await using var small = await LibraryHost.StartSmallAsync();
        var member = new GlanceCaller(small, (await small.NewProjectAsync(Stop)).Member);
        await using var server = ScriptedHttpServer.Start();
        server.Serve("/i", ScriptedContent.Of([1]));
        var id = await member.CreateAsync();

        var accepted = await member.PostAsync(
            $"/v2/images/{id}/import",
            $$$"""{"method":{"name":"web-download","uri":"{{{server.AddressOf("/i")}}}"},"all_stores":true,"all_stores_must_succeed":false}""");
        await small.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();

        Assert.Equal(HttpStatusCode.Accepted, accepted.Status);
        Assert.Equal("fast", (await member.GetAsync($"/v2/images/{id}")).Text("stores"));
    }

    [Fact]
    public async Task Tasks_are_listed_for_administrators_page_by_page()
    {
        await using var library = await LibraryHost.StartSmallAsync();
        var project = await library.NewProjectAsync(Stop);
        var (admin, member) = (new GlanceCaller(library, project.Admin), new GlanceCaller(library, project.Member));
        await using var server = ScriptedHttpServer.Start();
        server.Serve("/good", ScriptedContent.Of([1]));
        foreach (var path in (string[])["/good", "/bad", "/good"])
        {
            var id = await member.CreateAsync();
            await member.PostAsync(
                $"/v2/images/{id}/import", $$$"""{"method":{"name":"web-download","uri":"{{{server.AddressOf(path)}}}"}}""");
            await library.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
        }

        await member.CreateActiveAsync([1]); // an upload is no task

        Assert.Equal(["success", "failure", "success"], (await admin.GetAsync("/v2/tasks")).Each("tasks", "status"));
        Assert.Equal(["failure"], (await admin.GetAsync("/v2/tasks?status=failure")).Each("tasks", "status"));
        Assert.Empty((await admin.GetAsync("/v2/tasks?type=export")).Each("tasks", "id"));
        Assert.Equal(
            (await admin.GetAsync("/v2/tasks")).Each("tasks", "id").Reverse(),
            (await admin.GetAsync("/v2/tasks?sort_key=created_at&sort_dir=asc")).Each("tasks", "id"));

        var statuses = new List<string>();
        for (var next = "/v2/tasks?limit=1&sort_key=status&sort_dir=asc"; next is not null;)
        {
            var page = await admin.GetAsync(next);
            statuses.AddRange(page.Each("tasks", "status"));
            next = page.Json["next"]?.GetValue<string>();
        }

        Assert.Equal(["failure", "success", "success"], statuses);

        var task = (await admin.GetAsync("/v2/tasks")).Each("tasks", "id").First();
        Assert.Equal(task, (await admin.GetAsync($"/v2/tasks/{task}")).Text("id"));
        Refused(HttpStatusCode.NotFound, await admin.GetAsync($"/v2/tasks/{Guid.NewGuid()}"));
        Refused(HttpStatusCode.BadRequest, await admin.GetAsync("/v2/tasks?marker=x"));
        Refused(HttpStatusCode.BadRequest, await admin.GetAsync("/v2/tasks?sort_key=color"));
        Refused(HttpStatusCode.Forbidden, await member.GetAsync("/v2/tasks"));
        Refused(HttpStatusCode.Forbidden, await member.GetAsync($"/v2/tasks/{task}"));
    }

    private Task<GlanceReply> ImportAsync(string id, Uri address, string more = "") => Member.PostAsync(
        $"/v2/images/{id}/import",
        new JsonObject { ["method"] = new JsonObject { ["name"] = "web-download", ["uri"] = address.OriginalString } }.ToJsonString()[..^1] + more + "}");

    private Task WhenIdleAsync() => Host.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
}
