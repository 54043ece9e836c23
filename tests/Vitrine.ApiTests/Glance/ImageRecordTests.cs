using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Vitrine.ApiTests.Glance;

public sealed class ImageRecordTests(LibraryHost host) : GlanceTest(host)
{
    private const string Anybody = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task A_new_image_has_all_attributes_and_nulls_for_those_not_set()
    {
        var reply = await Member.PostAsync("/v2/images", "{}");
        var image = reply.Json;
        var id = reply.Text("id");

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal($"{Host.Address}/image/v2/images/{id}", reply.Headers["Location"]);
        Assert.Equal("glance-direct,web-download,copy-image,glance-download", reply.Headers["OpenStack-image-import-methods"]);
        Assert.Equal("fast,slow", reply.Headers["OpenStack-image-store-ids"]);
        Assert.Equal(
            $$"""
            {"name":null,"disk_format":null,"container_format":null,"visibility":"shared","size":null,"virtual_size":null,
            "status":"queued","checksum":null,"protected":false,"min_ram":0,"min_disk":0,"owner":"{{Project.Id}}","os_hidden":false,
            "os_hash_algo":null,"os_hash_value":null,"id":"{{id}}","created_at":"{{image["created_at"]}}","updated_at":"{{image["updated_at"]}}",
            "tags":[],"self":"/v2/images/{{id}}","file":"/v2/images/{{id}}/file","schema":"/v2/schemas/image"}
            """.ReplaceLineEndings(""),
            reply.BodyText);
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", reply.Text("created_at"));
    }

    [Fact]
    public async Task What_is_said_of_a_new_image_is_shown()
    {
        const string Id = "9d5f4c1e-7a4c-4d3b-9a7e-2f1d0c9b8a76";
        const string Body = $$"""
            {"id":"{{Id}}","name":"Ümlaut 💿","disk_format":"qcow2","container_format":"bare","visibility":"private","protected":true,
            "os_hidden":true,"min_disk":3,"min_ram":512,"tags":["b","a","b"],"owner_specified.openstack.md5":"","a property":"its value"}
            """;
        var image = (await Member.PostAsync("/v2/images", Body)).Json;

        Assert.Equal(Id, image["id"]!.GetValue<string>());
        Assert.Equal("Ümlaut 💿", image["name"]!.GetValue<string>());
        Assert.Equal("qcow2", image["disk_format"]!.GetValue<string>());
        Assert.Equal("private", image["visibility"]!.GetValue<string>());
        Assert.True(image["protected"]!.GetValue<bool>());
        Assert.True(image["os_hidden"]!.GetValue<bool>());
        Assert.Equal(3, image["min_disk"]!.GetValue<int>());
        Assert.Equal(512, image["min_ram"]!.GetValue<int>());
        Assert.Equal("""["a","b"]""", image["tags"]!.ToJsonString());
        Assert.Equal("", image["owner_specified.openstack.md5"]!.GetValue<string>());
        Assert.Equal("its value", image["a property"]!.GetValue<string>());

        await Member.PatchAsync(Id, """[{"op":"replace","path":"/protected","value":false}]""");
        await Member.DeleteAsync($"/v2/images/{Id}");
        Refused(HttpStatusCode.Conflict, await Member.PostAsync("/v2/images", $$"""{"id":"{{Id}}"}"""));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("null", 400)]
    [InlineData("\"text\"", 400)]
    [InlineData("""{"name":7}""", 400)]
    [InlineData("""{"name":"a\u0000b"}""", 400)]
    [InlineData("""{"name":"\ud800"}""", 400)]
    [InlineData("""{"\ud800":"x"}""", 400)]
    [InlineData("""{"id":"7"}""", 400)]
    [InlineData("""{"id":null}""", 400)]
    [InlineData("""{"disk_format":"floppy"}""", 400)]
    [InlineData("""{"disk_format":"RAW"}""", 400)]
    [InlineData("""{"container_format":7}""", 400)]
    [InlineData("""{"visibility":"secret"}""", 400)]
    [InlineData("""{"visibility":null}""", 400)]
    [InlineData("""{"protected":"true"}""", 400)]
    [InlineData("""{"os_hidden":1}""", 400)]
    [InlineData("""{"min_disk":-1}""", 400)]
    [InlineData("""{"min_disk":1.5}""", 400)]
    [InlineData("""{"min_ram":"512"}""", 400)]
    [InlineData("""{"min_ram":2147483648}""", 400)]
    [InlineData("""{"tags":"a"}""", 400)]
    [InlineData("""{"tags":[7]}""", 400)]
    [InlineData("""{"is_protected":true}""", 400)]
    [InlineData("""{"a property":null}""", 400)]
    [InlineData("""{"a property":{"a":"b"}}""", 400)]
    [InlineData("""{"":"x"}""", 400)]
    [InlineData("""{"owner":""}""", 400)]
    [InlineData("""{"architecture":"aarch64","hw_firmware_type":"bios"}""", 400)]
    [InlineData("""{"size":1}""", 403)]
    [InlineData("""{"status":"active"}""", 403)]
    [InlineData("""{"checksum":"x"}""", 403)]
    [InlineData("""{"self":"x"}""", 403)]
    [InlineData("""{"file":"x"}""", 403)]
    [InlineData("""{"stores":"x"}""", 403)]
    [InlineData("""{"created_at":"x"}""", 403)]
    [InlineData("""{"locations":[]}""", 403)]
    [InlineData("""{"os_glance_import_task":"x"}""", 403)]
    [InlineData("""{"deleted":"x"}""", 403)]
    [InlineData("""{"location":"x"}""", 403)]
    [InlineData("""{"owner":"0123456789abcdef0123456789abcdef"}""", 403)]
    [InlineData("""{"visibility":"public"}""", 403)]
    public async Task A_bad_description_is_refused(string body, int status) =>
        Refused((HttpStatusCode)status, await Member.PostAsync("/v2/images", body));

    [Fact]
    public async Task A_refusal_names_the_field_in_Glances_word_and_the_reason()
    {
        var reply = await Member.PostAsync("/v2/images", """{"architecture":"aarch64","hw_firmware_type":"bios"}""");
        Assert.StartsWith("hw_firmware_type: aarch64 boots by uefi only", reply.Text("message"), StringComparison.Ordinal);

        var reserved = await Member.PostAsync("/v2/images", """{"os_glance_x":"y"}""");
        Assert.StartsWith("Attribute 'os_glance_x' is reserved.", reserved.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_much_is_refused_and_never_our_own_fault()
    {
        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.PostAsync("/v2/images", "{\"name\":\"" + new string('x', 1 << 20) + "\"}"));
        Refused(HttpStatusCode.BadRequest, await Member.PostAsync("/v2/images", new string('[', 17) + new string(']', 17)));
        Refused(HttpStatusCode.BadRequest, await Member.PostAsync("/v2/images", new string('[', 500_000)));
        Refused(HttpStatusCode.BadRequest, await Member.PostAsync("/v2/images", $$"""{"name":"{{new string('x', 256)}}"}"""));

        var many = string.Join(',', Enumerable.Range(0, 60_000).Select(i => $"\"p{i}\":\"\""));
        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.PostAsync("/v2/images", "{" + many + "}"));
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_bounded_too()
    {
        using var content = new StreamContent(new EndlessSpaces());
        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.SendAsync("POST", "/v2/images", content));
    }

    [Fact]
    public async Task A_body_that_is_no_utf8_is_refused()
    {
        using var content = new ByteArrayContent([.. "{\"name\":\""u8, 0xff, 0xfe, .. "\"}"u8]);
        Refused(HttpStatusCode.BadRequest, await Member.SendAsync("POST", "/v2/images", content));
    }

    [Fact]
    public async Task Administrators_publish_images_and_make_them_for_others()
    {
        var image = await Admin.PostAsync("/v2/images", $$"""{"visibility":"public","owner":"{{Anybody}}"}""");

        Assert.Equal(HttpStatusCode.Created, image.Status);
        Assert.Equal("public", image.Text("visibility"));
        Assert.Equal(Anybody, image.Text("owner"));
    }

    [Fact]
    public async Task Readers_look_and_do_no_more()
    {
        var id = await Member.CreateActiveAsync([1, 2, 3]);

        Assert.Equal(HttpStatusCode.OK, (await Reader.GetAsync("/v2/images")).Status);
        Assert.Equal(HttpStatusCode.OK, (await Reader.GetAsync($"/v2/images/{id}")).Status);
        Refused(HttpStatusCode.Forbidden, await Reader.PostAsync("/v2/images", "{}"));
        Refused(HttpStatusCode.Forbidden, await Reader.PatchAsync(id, """[{"op":"add","path":"/name","value":"x"}]"""));
        Refused(HttpStatusCode.Forbidden, await Reader.DeleteAsync($"/v2/images/{id}"));
        Refused(HttpStatusCode.Forbidden, await Reader.GetAsync($"/v2/images/{id}/file"));
        Refused(HttpStatusCode.Forbidden, await Reader.UploadAsync(id, [1]));
        Refused(HttpStatusCode.Forbidden, await Reader.PutAsync($"/v2/images/{id}/tags/x"));
        Refused(HttpStatusCode.Forbidden, await Reader.PostAsync($"/v2/images/{id}/actions/deactivate"));
        Refused(HttpStatusCode.Forbidden, await Reader.PostAsync($"/v2/images/{id}/members", $$"""{"member":"{{Anybody}}"}"""));
    }

    [Fact]
    public async Task A_name_in_place_of_an_id_is_not_found()
    {
        await Member.CreateAsync(""" "name":"debian" """);

        Refused(HttpStatusCode.NotFound, await Member.GetAsync("/v2/images/debian"));
        Refused(HttpStatusCode.NotFound, await Member.GetAsync($"/v2/images/{Guid.NewGuid()}"));
        Refused(HttpStatusCode.NotFound, await Member.GetAsync("/v2/images/a%2Fb"));
        Refused(HttpStatusCode.NotFound, await Member.DeleteAsync("/v2/images/debian"));
        Refused(HttpStatusCode.NotFound, await Member.PatchAsync("debian", "[]"));
    }

    [Fact]
    public async Task An_image_is_deleted_once_and_never_while_it_is_protected()
    {
        var id = await Member.CreateAsync(""" "protected":true """);

        Refused(HttpStatusCode.Forbidden, await Member.DeleteAsync($"/v2/images/{id}"));
        await Member.PatchAsync(id, """[{"op":"replace","path":"/protected","value":false}]""");
        var deleted = await Member.DeleteAsync($"/v2/images/{id}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.Status);
        Assert.Empty(deleted.Body);
        Refused(HttpStatusCode.NotFound, await Member.DeleteAsync($"/v2/images/{id}"));
        Refused(HttpStatusCode.NotFound, await Member.GetAsync($"/v2/images/{id}"));
    }

    [Fact]
    public async Task Tags_come_and_go()
    {
        var id = await Member.CreateAsync();

        Assert.Equal(HttpStatusCode.NoContent, (await Member.PutAsync($"/v2/images/{id}/tags/blue")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Member.PutAsync($"/v2/images/{id}/tags/blue")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Member.PutAsync($"/v2/images/{id}/tags/%C3%BC%20x")).Status);
        Assert.Equal("""["blue","ü x"]""", Unescaped((await Member.GetAsync($"/v2/images/{id}")).Json["tags"]!));
        Assert.Equal(HttpStatusCode.NoContent, (await Member.DeleteAsync($"/v2/images/{id}/tags/blue")).Status);
        Refused(HttpStatusCode.NotFound, await Member.DeleteAsync($"/v2/images/{id}/tags/blue"));
        Refused(HttpStatusCode.NotFound, await Member.PutAsync($"/v2/images/{Guid.NewGuid()}/tags/blue"));
        Refused(HttpStatusCode.BadRequest, await Member.PutAsync($"/v2/images/{id}/tags/{new string('x', 256)}"));
        Refused(HttpStatusCode.MethodNotAllowed, await Member.GetAsync($"/v2/images/{id}/tags/blue"));
    }

    [Fact]
    public async Task Deactivation_keeps_users_from_the_data_and_changes_nothing_else()
    {
        var id = await Member.CreateActiveAsync([1, 2, 3]);

        for (var repeat = 0; repeat < 2; repeat++)
            Assert.Equal(HttpStatusCode.NoContent, (await Member.PostAsync($"/v2/images/{id}/actions/deactivate")).Status);
        Assert.Equal("deactivated", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
        Refused(HttpStatusCode.Forbidden, await Member.GetAsync($"/v2/images/{id}/file"));
        Assert.Equal([1, 2, 3], (await Admin.GetAsync($"/v2/images/{id}/file")).Body);

        for (var repeat = 0; repeat < 2; repeat++)
            Assert.Equal(HttpStatusCode.NoContent, (await Member.PostAsync($"/v2/images/{id}/actions/reactivate")).Status);
        Assert.Equal("active", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
        Refused(HttpStatusCode.Forbidden, await Member.PostAsync($"/v2/images/{await Member.CreateAsync()}/actions/deactivate"));
        Refused(HttpStatusCode.Forbidden, await Member.PostAsync($"/v2/images/{await Member.CreateAsync()}/actions/reactivate"));
        Refused(HttpStatusCode.NotFound, await Member.PostAsync($"/v2/images/{Guid.NewGuid()}/actions/deactivate"));
    }

    [Theory]
    [InlineData("architecture", "x86_64")]
    [InlineData("architecture", "amd64")]
    [InlineData("hw_firmware_type", "uefi")]
    [InlineData("hw_firmware_type", "bios")]
    [InlineData("hw_firmware_type", "UEFI")]
    [InlineData("os_type", "windows")]
    [InlineData("os_type", "plan9")]
    public async Task Properties_of_the_hardware_are_shown_found_changed_and_removed_like_any_other(string name, string value)
    {
        var id = await Member.CreateAsync($"\"{name}\":\"{value}\"");

        Assert.Equal(value, (await Member.GetAsync($"/v2/images/{id}")).Text(name));
        Assert.Equal([id], (await Member.GetAsync($"/v2/images?{name}={value}")).Each("images", "id"));
        Assert.Empty((await Member.GetAsync($"/v2/images?{name}=other")).Each("images", "id"));
        Assert.Equal("other", (await Member.PatchAsync(id, $$"""[{"op":"replace","path":"/{{name}}","value":"other"}]""")).Text(name));
        Assert.Equal(value, (await Member.PatchAsync(id, $$"""[{"op":"add","path":"/{{name}}","value":"{{value}}"}]""")).Text(name));
        Assert.False((await Member.PatchAsync(id, $$"""[{"op":"remove","path":"/{{name}}"}]""")).Json.ContainsKey(name));
        Refused(HttpStatusCode.Conflict, await Member.PatchAsync(id, $$"""[{"op":"remove","path":"/{{name}}"}]"""));
    }

    private static string Unescaped(JsonNode node) =>
        "[" + string.Join(',', node.AsArray().Select(n => $"\"{n!.GetValue<string>()}\"")) + "]";

    /// <summary>A body that no reader should wait for the end of.</summary>
    private sealed class EndlessSpaces : Stream
    {
        private static readonly byte[] Spaces = Encoding.ASCII.GetBytes(new string(' ', 4096));
        private long _left = 4 << 20;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var length = (int)Math.Min(Math.Min(count, Spaces.Length), _left);
            Spaces.AsSpan(0, length).CopyTo(buffer.AsSpan(offset));
            _left -= length;
            return length;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
