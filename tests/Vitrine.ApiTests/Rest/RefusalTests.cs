using System.Net;
using System.Text;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>What is wrong with a request is said by name, and never becomes an internal error.</summary>
public sealed class RefusalTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static readonly string Sha256 = new('a', 64);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":" a"}""", "name")]
    [InlineData("""{"name":"a "}""", "name")]
    [InlineData("""{"name":"a/b"}""", "name")]
    [InlineData("""{"name":"a;b"}""", "name")]
    [InlineData("""{"name":"a\nb"}""", "name")]
    [InlineData("""{"name":7}""", "name")]
    [InlineData("""{"name":"a","colour":"red"}""", "colour")]
    [InlineData("""{"name":"a","status":"active"}""", "status")]
    [InlineData("""{"name":"a","kind":"disk"}""", "kind")]
    [InlineData("""{"name":"a","kind":"1"}""", "kind")]
    [InlineData("""{"name":"a","format":"qcow3"}""", "format")]
    [InlineData("""{"name":"a","kind":"volume","format":"iso"}""", "format")]
    [InlineData("""{"name":"a","kind":"iso","format":"raw"}""", "format")]
    [InlineData("""{"name":"a","architecture":"z80"}""", "architecture")]
    [InlineData("""{"name":"a","platform":"beos"}""", "platform")]
    [InlineData("""{"name":"a","os":"debian99"}""", "os")]
    [InlineData("""{"name":"a","firmware":"coreboot"}""", "firmware")]
    [InlineData("""{"name":"a","firmware":"legacy","architecture":"aarch64"}""", "firmware")]
    [InlineData("""{"name":"a","firmware":"legacy","bareMetal":true}""", "firmware")]
    [InlineData("""{"name":"a","firmware":"uefi","os":"windows7"}""", "csm")]
    [InlineData("""{"name":"a","csm":true}""", "csm")]
    [InlineData("""{"name":"a","firmware":"uefi","csm":true,"os":"debian12"}""", "csm")]
    [InlineData("""{"name":"a","minDisk":-1}""", "minDisk")]
    [InlineData("""{"name":"a","minMemory":"512"}""", "minMemory")]
    [InlineData("""{"name":"a","minMemory":99999999999}""", "minMemory")]
    [InlineData("""{"name":"a","virtio":"yes"}""", "virtio")]
    [InlineData("""{"name":"a","tags":[""]}""", "tags")]
    [InlineData("""{"name":"a","tags":[null]}""", "tags")]
    [InlineData("""{"name":"a","tags":"b"}""", "tags")]
    [InlineData("""{"name":"a","properties":{"":"b"}}""", "properties")]
    [InlineData("""{"name":"a","properties":{"b":7}}""", "properties.b")]
    [InlineData("""{"name":"a","visibility":"secret"}""", "visibility")]
    [InlineData("""{"name":"a","source":{}}""", "url")]
    [InlineData("""{"name":"a","source":{"url":"not a url"}}""", "url")]
    [InlineData("""{"name":"a","source":{"url":"/etc/passwd"}}""", "url")]
    [InlineData("""{"name":"a","source":{"url":"gopher://example.org/x"}}""", "url")]
    [InlineData("""{"name":"a","source":{"url":"file:///etc/passwd"}}""", "url")]
    [InlineData("""{"name":"a","source":{"url":"http://10.0.0.1/x","checksum":"zz"}}""", "checksum")]
    [InlineData("""{"name":"a","source":{"url":"http://127.0.0.1/x","mirrors":["nonsense"]}}""", "mirrors")]
    [InlineData("""{"name":"a","source":{"url":"http://127.0.0.1/x","mirrors":[null]}}""", "mirrors")]
    [InlineData("""{"name":"a","source":{"url":"http://127.0.0.1/x","mirrors":["","","","","","","","","",""]}}""", "mirrors")]
    [InlineData("""{"name":"a","upload":{"length":5,"checksum":"auto"}}""", "checksum")]
    [InlineData("""{"name":"a","source":{"url":"http://10.0.0.1/x","checksum":"abc"}}""", "checksum")]
    [InlineData("""{"name":"a","source":{"url":"http://10.0.0.1/x","checksum":"sha256:abcd"}}""", "checksum")]
    [InlineData("""{"name":"a","source":{"url":"http://10.0.0.1/x","checksum":"crc32:abcd0123"}}""", "checksum")]
    [InlineData("""{"name":"a","source":{"url":"http://127.0.0.1/x","store":"nowhere"}}""", "store")]
    [InlineData("""{"name":"a","source":{"url":"http://127.0.0.1/x","colour":1}}""", "source.colour")]
    [InlineData("""{"name":"a","source":{"url":"http://127.0.0.1/x"},"upload":{"length":1}}""", "source")]
    [InlineData("""{"name":"a","upload":{}}""", "length")]
    [InlineData("""{"name":"a","upload":{"length":0}}""", "length")]
    [InlineData("""{"name":"a","upload":{"length":-5}}""", "length")]
    [InlineData("""{"name":"a","upload":{"length":1.5}}""", "upload.length")]
    [InlineData("""{"name":"a","upload":{"length":5,"store":"nowhere"}}""", "store")]
    public async Task A_description_that_breaks_a_rule_is_refused_by_the_name_of_the_field(string body, string field)
    {
        var project = await library.SharedProjectAsync();
        using var client = library.ClientOf(project.Member);
        var before = await client.ListImagesAsync([new("filter", "self")], Stop).CountAsync(Stop);
        using var response = await library.SendAsync(HttpMethod.Post, "api/v1/images", project.Member, RestLibrary.Json(body));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(field, (await RestLibrary.ProblemOf(response)).Field);

        // Nothing was made on the way.
        Assert.Equal(before, await client.ListImagesAsync([new("filter", "self")], Stop).CountAsync(Stop));
    }

    [Theory]
    [InlineData("extents?start=abc", "start")]
    [InlineData("extents?start=-1", "start")]
    [InlineData("extents?length=1.5", "length")]
    [InlineData("extents?limit=99999999999999999999", "limit")]
    [InlineData("extents?limit=0", "limit")]
    [InlineData("file?format=qcow2&compress=yes", "compress")]
    [InlineData("file?format=qcow9", "format")]
    public async Task A_parameter_that_cannot_be_read_is_refused_by_its_name(string path, string field)
    {
        var project = await library.SharedProjectAsync();
        using var response = await library.SendAsync(HttpMethod.Get, $"api/v1/images/{Guid.NewGuid()}/{path}", project.Member);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await RestLibrary.ProblemOf(response);
        Assert.Equal(field, problem.Field);
        Assert.DoesNotContain("vdi", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_is_made_only_to_what_the_client_saw()
    {
        var project = await library.SharedProjectAsync();
        using var client = library.ClientOf(project.Member);
        var path = $"api/v1/images/{(await client.CreateImageAsync(new ImageCreate { Name = "a" }, Stop)).Image.Id}";
        using var shown = await library.SendAsync(HttpMethod.Get, path, project.Member);
        var seen = shown.Headers.ETag!.Tag;

        using var changed = await SendAsync(HttpMethod.Patch, path, "\"0\", " + seen);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        var tag = changed.Headers.ETag!.Tag;
        Assert.NotEqual(seen, tag);
        foreach (var (method, place) in new[] { (HttpMethod.Patch, path), (HttpMethod.Delete, path), (HttpMethod.Post, path + "/disable") })
        {
            foreach (var stale in new[] { seen, "W/" + tag })
            {
                using var refused = await SendAsync(method, place, stale);
                Assert.Equal(HttpStatusCode.PreconditionFailed, refused.StatusCode);
                Assert.Equal("version-mismatch", (await RestLibrary.ProblemOf(refused)).Code);
            }
        }

        using var nonsense = await SendAsync(HttpMethod.Patch, path, "nonsense");
        Assert.Equal(HttpStatusCode.BadRequest, nonsense.StatusCode);
        using var without = await SendAsync(HttpMethod.Put, $"{path}/members/other", tag);
        Assert.Equal(HttpStatusCode.PreconditionFailed, without.StatusCode);
        using var deleted = await SendAsync(HttpMethod.Delete, path, tag);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);

        async Task<HttpResponseMessage> SendAsync(HttpMethod method, string place, string condition) => await library.SendAsync(
            method, place, project.Member, method == HttpMethod.Patch ? RestLibrary.Json("""{"description":"b"}""") : null,
            headers: ("If-Match", condition));
    }

    [Theory]
    [InlineData("md5", 32)]
    [InlineData("sha1", 40)]
    [InlineData("sha224", 56)]
    [InlineData("sha256", 64)]
    [InlineData("sha384", 96)]
    [InlineData("sha512", 128)]
    public async Task Every_checksum_is_taken_with_its_length_and_no_other(string algorithm, int digits)
    {
        var project = await library.SharedProjectAsync();
        Assert.Equal(HttpStatusCode.Created, await CreateAsync(digits));
        Assert.Equal(HttpStatusCode.BadRequest, await CreateAsync(digits - 1));
        Assert.Equal(HttpStatusCode.BadRequest, await CreateAsync(digits + 1));

        async Task<HttpStatusCode> CreateAsync(int length)
        {
            var body = $$$"""{"name":"a","upload":{"length":5,"checksum":"{{{algorithm}}}:{{{new string('a', length)}}}"}}""";
            using var response = await library.SendAsync(HttpMethod.Post, "api/v1/images", project.Member, RestLibrary.Json(body));
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("null", 400)]
    [InlineData("\"text\"", 400)]
    [InlineData("""{"name":"a","name":"b"}""", 400)]
    [InlineData("""{"name":"\ud800"}""", 400)]
    [InlineData("""{"\ud800":"a"}""", 400)]
    [InlineData("""{"name":"a",}""", 400)]
    [InlineData("""{"name":"\u0000"}""", 400)]
    public async Task A_body_that_cannot_be_read_is_refused(string body, int status)
    {
        var project = await library.SharedProjectAsync();
        foreach (var (method, path) in new[] { (HttpMethod.Post, "api/v1/images"), (HttpMethod.Post, "api/v1/tokens"), (HttpMethod.Post, "api/v1/probe") })
        {
            using var response = await library.SendAsync(method, path, project.Member, RestLibrary.Json(body));
            Assert.Equal(status, (int)response.StatusCode);
            await RestLibrary.ProblemOf(response);
        }

        using var client = library.ClientOf(project.Member);
        var image = (await client.CreateImageAsync(new ImageCreate { Name = "a" }, Stop)).Image;
        using var patch = await library.SendAsync(HttpMethod.Patch, $"api/v1/images/{image.Id}", project.Member, RestLibrary.Json(body));
        Assert.Equal(status, (int)patch.StatusCode);
        await RestLibrary.ProblemOf(patch);
    }

    [Fact]
    public async Task A_body_of_bytes_that_are_no_text_is_refused()
    {
        var project = await library.SharedProjectAsync();
        var bytes = new ByteArrayContent([.. "{\"name\":\""u8, 0xff, 0xfe, .. "\"}"u8]);
        bytes.Headers.ContentType = new("application/json");
        using var response = await library.SendAsync(HttpMethod.Post, "api/v1/images", project.Member, bytes);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        await RestLibrary.ProblemOf(response);
    }

    [Fact]
    public async Task A_body_that_is_too_deep_or_too_large_or_of_another_type_is_refused()
    {
        var project = await library.SharedProjectAsync();
        var deep = string.Concat(Enumerable.Repeat("""{"a":""", 17)) + "1" + new string('}', 17);
        using var tooDeep = await library.SendAsync(HttpMethod.Post, "api/v1/images", project.Member, RestLibrary.Json(deep));
        Assert.Equal("malformed-body", (await RestLibrary.ProblemOf(tooDeep)).Code);

        var large = $$"""{"name":"a","description":"{{new string('x', 1024 * 1024)}}"}""";
        using var tooLarge = await library.SendAsync(HttpMethod.Post, "api/v1/images", project.Member, RestLibrary.Json(large));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLarge.StatusCode);
        await RestLibrary.ProblemOf(tooLarge);

        using var unannounced = await library.SendAsync(
            HttpMethod.Post, "api/v1/images", project.Member, RestLibrary.Json(large), ("Transfer-Encoding", "chunked"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, unannounced.StatusCode);

        using var form = await library.SendAsync(
            HttpMethod.Post, "api/v1/images", project.Member, new StringContent("name=a", Encoding.UTF8, "application/x-www-form-urlencoded"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
        await RestLibrary.ProblemOf(form);
    }

    [Theory]
    [InlineData("""{"id":"x"}""", "id", 400)]
    [InlineData("""{"owner":"x"}""", "owner", 400)]
    [InlineData("""{"status":"active"}""", "status", 400)]
    [InlineData("""{"size":5}""", "size", 400)]
    [InlineData("""{"sha256":"x"}""", "sha256", 400)]
    [InlineData("""{"kind":"iso"}""", "kind", 400)]
    [InlineData("""{"createdAt":"2026-01-01T00:00:00Z"}""", "createdAt", 400)]
    [InlineData("""{"colour":"red"}""", "colour", 400)]
    [InlineData("""{"name":null}""", "name", 400)]
    [InlineData("""{"virtio":null}""", "virtio", 400)]
    [InlineData("""{"name":"a/b"}""", "name", 400)]
    [InlineData("""{"visibility":"public"}""", null, 403)]
    [InlineData("""{"format":"vmdk"}""", null, 409)]
    public async Task A_change_that_is_not_possible_is_refused(string patch, string? field, int status)
    {
        var project = await library.SharedProjectAsync();
        using var client = library.ClientOf(project.Member);
        var image = await library.MakeImageAsync(client, [1, 2, 3]);
        using var response = await library.SendAsync(HttpMethod.Patch, $"api/v1/images/{image.Id}", project.Member, RestLibrary.Json(patch));
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(field, (await RestLibrary.ProblemOf(response)).Field);
        Assert.Equivalent(image, await client.GetImageAsync(image.Id, Stop));
    }

    [Theory]
    [InlineData("images?colour=red", "colour")]
    [InlineData("images?limit=0", "limit")]
    [InlineData("images?limit=1001", "limit")]
    [InlineData("images?limit=x", "limit")]
    [InlineData("images?status=broken", "status")]
    [InlineData("images?status=1", "status")]
    [InlineData("images?sort=colour", "sort")]
    [InlineData("images?sort=name:up", "sort")]
    [InlineData("images?filter=mine", "filter")]
    [InlineData("images?enabled=1", "enabled")]
    [InlineData("images?cursor=0198c0de", "cursor")]
    [InlineData("images?sizeMin=-1", "sizeMin")]
    [InlineData("images?name=%00", "name")]
    [InlineData("images?search=a&search=b", "search")]
    [InlineData("images?property.=x", "property.")]
    [InlineData("transfers?state=gone", "state")]
    [InlineData("transfers?cursor=x", "cursor")]
    public async Task A_listing_with_a_wrong_parameter_is_refused(string path, string field)
    {
        var project = await library.SharedProjectAsync();
        using var response = await library.SendAsync(HttpMethod.Get, $"api/v1/{path}", project.Member);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(field, (await RestLibrary.ProblemOf(response)).Field);
    }

    [Fact]
    public async Task A_cursor_of_one_listing_holds_in_no_other()
    {
        var project = await library.SharedProjectAsync();
        using var client = library.ClientOf(project.Member);
        await client.CreateImageAsync(new ImageCreate { Name = "a", Upload = new UploadRequest { Length = 1 } }, Stop);
        using var page = await library.SendAsync(HttpMethod.Get, "api/v1/transfers?limit=1", project.Member);
        var next = System.Text.Json.JsonDocument.Parse(await page.Content.ReadAsStringAsync(Stop)).RootElement.GetProperty("next").GetString()!;

        using var response = await library.SendAsync(HttpMethod.Get, $"api/v1/images?cursor={next}", project.Member);
        Assert.Equal("cursor", (await RestLibrary.ProblemOf(response)).Field);
    }

    [Theory]
    [InlineData("GET", "images/{0}")]
    [InlineData("PATCH", "images/{0}")]
    [InlineData("DELETE", "images/{0}")]
    [InlineData("POST", "images/{0}/enable")]
    [InlineData("POST", "images/{0}/upload")]
    [InlineData("GET", "images/{0}/file")]
    [InlineData("GET", "images/{0}/transfers")]
    [InlineData("GET", "images/{0}/members")]
    [InlineData("PUT", "images/{0}/members/p")]
    [InlineData("GET", "transfers/{0}")]
    [InlineData("POST", "transfers/{0}/cancel")]
    [InlineData("POST", "transfers/{0}/retry")]
    [InlineData("GET", "transfers/{0}/explain")]
    public async Task What_is_not_there_is_not_found_whatever_it_is_called(string method, string path)
    {
        var project = await library.SharedProjectAsync();
        foreach (var id in new[] { Guid.NewGuid().ToString(), "no-id", "%2e%2e%2f", "'; drop table images", new string('x', 500) })
        {
            var body = method is "PATCH" ? RestLibrary.Json("{}") : path.EndsWith("upload", StringComparison.Ordinal) ? RestLibrary.Json("""{"length":1}""") : null;
            using var response = await library.SendAsync(new HttpMethod(method), $"api/v1/{string.Format(null, path, id)}", project.Member, body);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            await RestLibrary.ProblemOf(response);
        }
    }

    [Fact]
    public async Task What_the_face_does_not_have_is_a_problem_too()
    {
        var project = await library.SharedProjectAsync();
        using var nowhere = await library.SendAsync(HttpMethod.Get, "api/v1/nowhere", project.Member);
        Assert.Equal((HttpStatusCode.NotFound, "no-such-path"), (nowhere.StatusCode, (await RestLibrary.ProblemOf(nowhere)).Code));

        using var method = await library.SendAsync(HttpMethod.Put, "api/v1/images", project.Member);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "no-such-method"), (method.StatusCode, (await RestLibrary.ProblemOf(method)).Code));
    }

    [Fact]
    public async Task A_second_image_of_one_address_is_made_on_request_only()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var describe = new ImageCreate { Name = "a", Source = new ImageSource { Url = "http://127.0.0.1:9/disk.img", Checksum = Sha256 } };
        var first = await client.CreateImageAsync(describe, Stop);
        Assert.Equal("importing", first.Image.Status);

        // Nothing listens there, which may pass: the first goes on trying for minutes.
        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => client.CreateImageAsync(describe, Stop));
        Assert.Equal((HttpStatusCode.Conflict, "duplicate-source"), (refused.Status, refused.Code));
        Assert.Contains(first.Image.Id, refused.Message, StringComparison.Ordinal);

        await client.CreateImageAsync(describe with { Source = describe.Source with { AllowDuplicate = true } }, Stop);
        foreach (var transfer in await client.ListTransfersAsync([], Stop).ToListAsync(Stop))
            await client.CancelTransferAsync(transfer.Id, Stop);
    }
}
