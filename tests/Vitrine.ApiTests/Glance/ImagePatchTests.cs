using System.Net;

namespace Vitrine.ApiTests.Glance;

public sealed class ImagePatchTests(LibraryHost host) : GlanceTest(host)
{
    // Every case begins with the name "old", the property "there" and no data.
    [Theory]
    [InlineData("""[]""", 200)]
    [InlineData("""[{"op":"replace","path":"/name","value":"new"}]""", 200)]
    [InlineData("""[{"op":"add","path":"/name","value":"new"}]""", 200)]
    [InlineData("""[{"op":"add","path":"/name","value":null}]""", 200)]
    [InlineData("""[{"op":"add","path":"/there","value":"again"}]""", 200)]
    [InlineData("""[{"op":"remove","path":"/there"}]""", 200)]
    [InlineData("""[{"op":"add","path":"/a~1b~0c~01","value":"x"}]""", 200)]
    [InlineData("""[{"op":"add","path":"/tags","value":["a","c"]}]""", 200)]
    [InlineData("""[{"op":"add","path":"/visibility","value":"community"}]""", 200)]
    [InlineData("""[{"op":"replace","path":"/disk_format","value":"iso"}]""", 200)]
    [InlineData("""{"op":"add","path":"/name","value":"x"}""", 400)]
    [InlineData("""["add"]""", 400)]
    [InlineData("""[{"op":"test","path":"/name","value":"old"}]""", 400)]
    [InlineData("""[{"op":"move","from":"/name","path":"/x"}]""", 400)]
    [InlineData("""[{"path":"/name","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","value":"x"}]""", 400)]
    [InlineData("""[{"op":7,"path":"/name","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/name"}]""", 400)]
    [InlineData("""[{"op":"add","path":"name","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/a/b","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/a~","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/a~2","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/custom","value":7}]""", 400)]
    [InlineData("""[{"op":"add","path":"/custom","value":null}]""", 400)]
    [InlineData("""[{"op":"add","path":"/tags","value":"a"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/visibility","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/min_disk","value":-1}]""", 400)]
    [InlineData("""[{"op":"add","path":"/name","value":"\ud800"}]""", 400)]
    [InlineData("""[{"op":"replace","path":"/custom","value":"x"}]""", 409)]
    [InlineData("""[{"op":"remove","path":"/custom"}]""", 409)]
    [InlineData("""[{"op":"remove","path":"/name"}]""", 403)]
    [InlineData("""[{"op":"remove","path":"/visibility"}]""", 403)]
    [InlineData("""[{"op":"replace","path":"/id","value":"x"}]""", 403)]
    [InlineData("""[{"op":"replace","path":"/size","value":7}]""", 403)]
    [InlineData("""[{"op":"add","path":"/status","value":"active"}]""", 403)]
    [InlineData("""[{"op":"remove","path":"/checksum"}]""", 403)]
    [InlineData("""[{"op":"add","path":"/deleted","value":"x"}]""", 403)]
    [InlineData("""[{"op":"add","path":"/os_glance_failed_import","value":""}]""", 403)]
    [InlineData("""[{"op":"add","path":"/locations/-","value":{"url":"http://x/","metadata":{}}}]""", 403)]
    [InlineData("""[{"op":"remove","path":"/locations/0"}]""", 403)]
    [InlineData("""[{"op":"replace","path":"/visibility","value":"public"}]""", 403)]
    [InlineData("""[{"op":"replace","path":"/owner","value":"somebody"}]""", 403)]
    public async Task Changes_are_made_or_refused(string body, int status)
    {
        var id = await NewImageAsync();
        Assert.Equal(status, (int)(await Member.PatchAsync(id, body)).Status);
    }

    [Theory]
    [InlineData("""[{"replace":"/name","value":"new"}]""", 200)]
    [InlineData("""[{"add":"/custom","value":"x"}]""", 200)]
    [InlineData("""[{"remove":"/there"}]""", 200)]
    [InlineData("""[{"remove":"/there","add":"/there","value":"x"}]""", 400)]
    [InlineData("""[{"test":"/name","value":"x"}]""", 400)]
    [InlineData("""[{"op":"add","path":"/name","value":"x"}]""", 400)]
    [InlineData("""[{"replace":"/custom","value":"x"}]""", 409)]
    [InlineData("""[{"replace":7,"value":"x"}]""", 400)]
    public async Task The_form_of_the_earlier_draft_is_understood_too(string body, int status)
    {
        var id = await NewImageAsync();
        Assert.Equal(status, (int)(await Member.PatchAsync(id, body, GlanceCaller.Patch20)).Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json-patch+json")]
    [InlineData("application/openstack-images-v2.2-json-patch")]
    public async Task Any_other_media_type_is_refused_with_those_there_are(string mediaType)
    {
        var reply = await Member.PatchAsync(await NewImageAsync(), "[]", mediaType);

        Refused(HttpStatusCode.UnsupportedMediaType, reply);
        Assert.Equal(
            "application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch", reply.Headers["Accept-Patch"]);
    }

    [Fact]
    public async Task The_changes_of_a_request_are_made_together_in_their_order_or_not_at_all()
    {
        var id = await NewImageAsync();

        Refused(HttpStatusCode.Conflict, await Member.PatchAsync(
            id, """[{"op":"replace","path":"/name","value":"new"},{"op":"remove","path":"/nowhere"}]"""));
        Assert.Equal("old", (await Member.GetAsync($"/v2/images/{id}")).Text("name"));

        var changed = await Member.PatchAsync(
            id, """[{"op":"add","path":"/a~1b~0c~01","value":"1"},{"op":"remove","path":"/there"},{"op":"add","path":"/there","value":"2"}]""");
        Assert.Equal("1", changed.Text("a/b~c~1"));
        Assert.Equal("2", changed.Text("there"));
    }

    [Fact]
    public async Task Formats_are_settled_once_there_is_data()
    {
        var id = await Member.CreateActiveAsync([1]);

        var refused = await Member.PatchAsync(id, """[{"op":"replace","path":"/disk_format","value":"qcow2"}]""");
        Refused(HttpStatusCode.Forbidden, refused);
        Assert.Equal(HttpStatusCode.OK, (await Member.PatchAsync(id, """[{"op":"replace","path":"/name","value":"x"}]""")).Status);
    }

    [Fact]
    public async Task A_format_that_was_iso_can_become_another()
    {
        var id = await Member.CreateAsync(formats: """ "disk_format":"iso","container_format":"bare" """);
        Assert.Equal("raw", (await Member.PatchAsync(id, """[{"op":"add","path":"/disk_format","value":"raw"}]""")).Text("disk_format"));
    }

    [Fact]
    public async Task Administrators_give_images_away()
    {
        var id = await NewImageAsync();
        var (neighbour, _) = await NewNeighbourAsync();

        var given = await Admin.PatchAsync(id, $$"""[{"op":"add","path":"/owner","value":"{{neighbour.Id}}"}]""");
        Assert.Equal(neighbour.Id.Value, given.Text("owner"));
        Refused(HttpStatusCode.NotFound, await Member.GetAsync($"/v2/images/{id}"));
    }

    private Task<string> NewImageAsync() => Member.CreateAsync(""" "name":"old","there":"yes" """);
}
