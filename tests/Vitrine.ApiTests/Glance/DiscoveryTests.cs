using System.Net;
using System.Text.Json.Nodes;

namespace Vitrine.ApiTests.Glance;

public sealed class DiscoveryTests(LibraryHost host) : GlanceTest(host)
{
    [Theory]
    [InlineData("", 300)]
    [InlineData("/", 300)]
    [InlineData("/versions", 200)]
    [InlineData("/v1/images", 300)]
    [InlineData("/v3/images", 300)]
    [InlineData("/images", 300)]
    [InlineData("/v2.17/images", 300)]
    public async Task Versions_are_told_without_a_token(string path, int status)
    {
        var reply = await Stranger.GetAsync(path);

        Assert.Equal(status, (int)reply.Status);
        var versions = reply.Json["versions"]!.AsArray();
        Assert.Equal("CURRENT", versions[0]!["status"]!.GetValue<string>());
        Assert.Equal($"{Host.Address}/image/v2/", versions[0]!["links"]![0]!["href"]!.GetValue<string>());
        Assert.DoesNotContain("x-openstack-request-id", reply.Headers.Keys);
    }

    [Fact]
    public async Task Versions_whose_features_are_missing_are_not_announced()
    {
        var announced = (await Stranger.GetAsync("/versions")).Each("versions", "id").ToList();

        Assert.Contains("v2.12", announced); // the tasks of an image
        Assert.DoesNotContain("v2.17", announced); // locations
    }

    [Theory]
    [InlineData("v2")]
    [InlineData("v2.0")]
    [InlineData("v2.7")]
    [InlineData("v2.16")]
    public async Task Every_minor_version_means_the_same(string version)
    {
        var id = await Member.CreateAsync();
        Assert.Equal($"/v2/images/{id}", (await Member.GetAsync($"/{version}/images/{id}")).Text("self"));
    }

    [Fact]
    public async Task The_version_itself_is_no_resource()
    {
        var bare = await Member.GetAsync("/v2");
        Assert.Equal(HttpStatusCode.Found, bare.Status);
        Assert.Equal($"{Host.Address}/image/v2/", bare.Headers["Location"]);
        Refused(HttpStatusCode.NotFound, await Member.GetAsync("/v2/"));
        Refused(HttpStatusCode.NotFound, await Member.GetAsync("/v2/nothing/of/this/name"));
    }

    [Fact]
    public async Task A_request_without_a_token_is_told_where_to_get_one()
    {
        var reply = await Stranger.GetAsync("/v2/images");

        Refused(HttpStatusCode.Unauthorized, reply);
        Assert.Equal($"Keystone uri=\"{Host.Address}/identity/v3\"", reply.Headers["WWW-Authenticate"]);
        Refused(HttpStatusCode.Unauthorized, await new GlanceCaller(Host, "no token").GetAsync("/v2/images"));
    }

    [Fact]
    public async Task Import_methods_and_usage_are_told()
    {
        Assert.Equal(
            """{"import-methods":{"description":"Import methods available.","type":"array","value":["glance-direct","web-download","copy-image","glance-download"]}}""",
            (await Reader.GetAsync("/v2/info/import")).BodyText);
        var usage = (await Reader.GetAsync("/v2/info/usage")).Json["usage"]!;
        Assert.Equal("""{"limit":-1,"usage":0}""", usage["image_count_total"]!.ToJsonString());
    }

    [Fact]
    public async Task Stores_are_listed_and_their_details_are_for_administrators()
    {
        Assert.Equal(
            """{"stores":[{"id":"fast","description":"The fast store","default":"true"},{"id":"slow","description":"The slow store"}]}""",
            (await Reader.GetAsync("/v2/info/stores")).BodyText);
        Refused(HttpStatusCode.Forbidden, await Member.GetAsync("/v2/info/stores/detail"));
        Assert.Equal(["file", "file"], (await Admin.GetAsync("/v2/info/stores/detail")).Each("stores", "type"));
    }

    [Theory]
    [InlineData("image")]
    [InlineData("images")]
    [InlineData("member")]
    [InlineData("members")]
    [InlineData("task")]
    [InlineData("tasks")]
    public async Task Schemas_describe_what_is_answered(string name)
    {
        var reply = await Reader.GetAsync($"/v2/schemas/{name}");

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(name, reply.Text("name"));
        Assert.NotEmpty(reply.Json["properties"]!.AsObject());
    }

    [Fact]
    public async Task The_schema_of_an_image_knows_every_attribute_and_allows_custom_ones()
    {
        var schema = (await Reader.GetAsync("/v2/schemas/image")).Json;
        var image = (await Member.GetAsync($"/v2/images/{await Member.CreateActiveAsync([1])}")).Json;

        Assert.Equal("string", schema["additionalProperties"]!["type"]!.GetValue<string>());
        var known = schema["properties"]!.AsObject();
        Assert.All(image, attribute => Assert.True(known.ContainsKey(attribute.Key), attribute.Key));
    }

    [Fact]
    public async Task An_unknown_schema_is_not_found() => Refused(HttpStatusCode.NotFound, await Reader.GetAsync("/v2/schemas/nothing"));

    [Fact]
    public async Task A_method_that_a_path_does_not_have_is_refused_with_those_it_has()
    {
        var reply = await Member.SendAsync("PUT", "/v2/images", content: null);
        Refused(HttpStatusCode.MethodNotAllowed, reply);
        Assert.Equal("GET, POST", reply.Headers["Allow"]);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await Member.SendAsync("HEAD", "/v2/images", content: null)).Status);
        Refused(HttpStatusCode.NotFound, await Member.DeleteAsync("/v2/images/"));
        Refused(HttpStatusCode.NotFound, await Member.GetAsync("/v2/images/"));
    }

    [Theory]
    [InlineData("application/json", "application/json")]
    [InlineData("*/*", "text/html; charset=UTF-8")]
    [InlineData("text/html", "text/html; charset=UTF-8")]
    [InlineData("text/html, application/json", "application/json")]
    [InlineData("image/png", "text/plain; charset=UTF-8")]
    [InlineData("", "application/json")]
    [InlineData("application/json;q=0, */*", "text/html; charset=UTF-8")]
    [InlineData("not/valid/at;;all", "text/plain; charset=UTF-8")]
    public async Task Errors_take_the_form_that_the_client_accepts(string accept, string type)
    {
        var reply = await Member.GetAsync("/v2/images/no-such-image", ("Accept", accept));

        Assert.Equal(HttpStatusCode.NotFound, reply.Status);
        Assert.Equal(type, reply.Headers["Content-Type"]);
        Assert.Contains("no-such-image", reply.BodyText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_in_html_do_not_repeat_markup_of_the_request()
    {
        var reply = await Member.GetAsync("/v2/images/%3Cscript%3E", ("Accept", "text/html"));
        Assert.DoesNotContain("<script>", reply.BodyText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_errors_read_as_clients_expect() => Assert.Equal(
        "404 Not Found\n\nThere is no image x.\n\n   ", (await Member.GetAsync("/v2/images/x", ("Accept", "text/plain"))).BodyText);

    [Fact]
    public async Task Every_answer_names_its_request()
    {
        const string Given = "req-01234567-89ab-cdef-0123-456789abcdef";

        Assert.Equal(Given, (await Member.GetAsync("/v2/images", ("x-openstack-request-id", Given))).Headers["x-openstack-request-id"]);
        Assert.Matches("^req-[0-9a-f-]{36}$", (await Member.GetAsync("/v2/images")).Headers["x-openstack-request-id"]);
        Assert.Matches(
            "^req-[0-9a-f-]{36}$", (await Stranger.GetAsync("/v2/images", ("x-openstack-request-id", "req-<b>"))).Headers["x-openstack-request-id"]);
    }

    [Fact]
    public async Task A_client_that_closes_is_answered_that_the_connection_closes()
    {
        var id = await Member.CreateAsync();
        var reply = await Member.UploadAsync(id, new byte[100_000], ("connection", "close"));

        Assert.Equal(HttpStatusCode.NoContent, reply.Status);
        Assert.Equal("close", reply.Headers["Connection"]);
        Assert.Equal(100_000, JsonNode.Parse((await Member.GetAsync($"/v2/images/{id}")).Body)!["size"]!.GetValue<long>());
    }
}
