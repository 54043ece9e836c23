using System.Net;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>Who may do what: the same request by everybody that there is.</summary>
public sealed class RightsTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    // method, path, body, admin of another project, member, reader, member of another project, nobody
    [InlineData("GET", "images", null, 200, 200, 200, 200, 401)]
    [InlineData("POST", "images", """{"name":"a"}""", 201, 201, 403, 201, 401)]
    [InlineData("GET", "images/{image}", null, 200, 200, 200, 404, 401)]
    [InlineData("PATCH", "images/{image}", """{"name":"b"}""", 200, 200, 403, 404, 401)]
    [InlineData("POST", "images/{image}/disable", null, 200, 200, 403, 404, 401)]
    [InlineData("POST", "images/{image}/enable", null, 200, 200, 403, 404, 401)]
    [InlineData("POST", "images/{image}/upload-ticket", "{}", 409, 409, 403, 404, 401)]
    [InlineData("POST", "images/{image}/upload-form", "{}", 409, 409, 403, 404, 401)]
    [InlineData("GET", "transfers/{transfer}/parts", null, 200, 200, 200, 404, 401)]
    [InlineData("GET", "images/{image}/file", null, 200, 200, 403, 404, 401)]
    [InlineData("GET", "images/{image}/transfers", null, 200, 200, 200, 404, 401)]
    [InlineData("GET", "transfers", null, 200, 200, 200, 200, 401)]
    [InlineData("GET", "transfers/{transfer}", null, 200, 200, 200, 404, 401)]
    [InlineData("GET", "transfers/{transfer}/explain", null, 200, 200, 200, 404, 401)]
    [InlineData("GET", "transfers/{transfer}/log", null, 200, 200, 200, 404, 401)]
    [InlineData("GET", "transfers/nonsense/log", null, 404, 404, 404, 404, 401)]
    [InlineData("POST", "transfers/{transfer}/cancel", null, 200, 200, 403, 404, 401)]
    [InlineData("GET", "stores", null, 200, 200, 200, 200, 401)]
    [InlineData("GET", "stores/main", null, 200, 403, 403, 403, 401)]
    [InlineData("GET", "stores/main/report", null, 200, 403, 403, 403, 401)]
    [InlineData("GET", "stores/main/operations", null, 200, 403, 403, 403, 401)]
    [InlineData("GET", "stores/main/operations/none", null, 404, 403, 403, 403, 401)]
    [InlineData("POST", "stores/main/operations", """{"kind":"collect"}""", 409, 403, 403, 403, 401)]
    [InlineData("PATCH", "stores/main", """{"mode":"open"}""", 200, 403, 403, 403, 401)]
    [InlineData("GET", "stores/main/retired", null, 200, 403, 403, 403, 401)]
    [InlineData("POST", "images/{image}/copies", """{"stores":["other"]}""", 202, 202, 403, 404, 401)]
    [InlineData("DELETE", "images/{image}/replicas/main", null, 409, 409, 403, 404, 401)]
    [InlineData("GET", "zones", null, 200, 200, 200, 200, 401)]
    [InlineData("GET", "nodes", null, 200, 403, 403, 403, 401)]
    [InlineData("GET", "nodes/node-1", null, 200, 403, 403, 403, 401)]
    [InlineData("PATCH", "nodes/node-1", """{"mode":"open"}""", 200, 403, 403, 403, 401)]
    [InlineData("GET", "limits", null, 200, 403, 403, 403, 401)]
    [InlineData("PATCH", "limits", """{"uploads-per-project":null}""", 200, 403, 403, 403, 401)]
    [InlineData("GET", "quotas", null, 200, 200, 200, 200, 401)]
    [InlineData("PATCH", "quotas", """{"limits":{}}""", 200, 403, 403, 403, 401)]
    [InlineData("GET", "projects/{project}/quotas", null, 200, 200, 200, 403, 401)]
    [InlineData("PATCH", "projects/{project}/quotas", """{"limits":{}}""", 200, 403, 403, 403, 401)]
    [InlineData("GET", "doctor", null, 200, 403, 403, 403, 401)]
    [InlineData("POST", "examinations", "{}", 202, 403, 403, 403, 401)]
    [InlineData("POST", "examinations", """{"url":"nonsense"}""", 400, 403, 403, 403, 401)]
    [InlineData("POST", "examinations", """{"node":"one"}""", 400, 403, 403, 403, 401)]
    [InlineData("GET", "examinations/nonsense", null, 404, 403, 403, 403, 401)]
    [InlineData("GET", "examinations/0199d6b0-0000-7000-8000-000000000001", null, 404, 403, 403, 403, 401)]
    [InlineData("POST", "probe", """{"url":"http://10.0.0.1/"}""", 400, 400, 403, 400, 401)]
    [InlineData("GET", "me", null, 200, 200, 200, 200, 401)]
    [InlineData("DELETE", "images/{image}", null, 204, 204, 403, 404, 401)]
    public async Task Everybody_gets_the_answer_due(
        string method, string path, string? body, int otherAdmin, int member, int reader, int stranger, int nobody)
    {
        var (owner, other) = (await library.SharedProjectAsync(), await OtherAsync());
        foreach (var (token, expected) in new[]
        {
            (null, nobody), ("garbage", nobody), (other.Member, stranger), (owner.Reader, reader), (owner.Member, member), (other.Admin, otherAdmin),
        })
        {
            // Each finds things as if nobody had come before.
            using var client = library.ClientOf(owner.Member);
            var image = path.Contains("{image}", StringComparison.Ordinal) ? (await library.MakeImageAsync(client, [1, 2, 3])).Id : "";
            var transfer = path.Contains("{transfer}", StringComparison.Ordinal)
                ? (await client.CreateImageAsync(new ImageCreate { Name = "t", Upload = new UploadRequest { Length = 9 } }, Stop)).Upload!.Transfer : "";
            var full = $"api/v1/{path.Replace("{image}", image, StringComparison.Ordinal).Replace("{transfer}", transfer, StringComparison.Ordinal)
                .Replace("{project}", owner.Id.Value, StringComparison.Ordinal)}";

            using var response = await library.SendAsync(new HttpMethod(method), full, token, body is null ? null : RestLibrary.Json(body));
            Assert.Equal(expected, (int)response.StatusCode);
            if (expected >= 400)
                await RestLibrary.ProblemOf(response);
            if (expected == 401)
                Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        }
    }

    [Fact]
    public async Task A_stranger_s_body_is_not_even_read()
    {
        using var response = await library.SendAsync(HttpMethod.Post, "api/v1/images", token: null, RestLibrary.Json("{ broken"));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task An_upload_is_its_own_project_s()
    {
        var (owner, other) = (await library.SharedProjectAsync(), await OtherAsync());
        using var client = library.ClientOf(owner.Member);
        var upload = (await client.CreateImageAsync(new ImageCreate { Name = "u", Upload = new UploadRequest { Length = 9 } }, Stop)).Upload!;
        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Patch, HttpMethod.Delete })
        {
            Assert.Equal(HttpStatusCode.NotFound, await SendAsync(method, other.Member));
            Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(method, token: null));
        }

        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(HttpMethod.Patch, owner.Reader));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(HttpMethod.Patch, owner.Member));

        async Task<HttpStatusCode> SendAsync(HttpMethod method, string? token)
        {
            using var response = await library.SendAsync(
                method, upload.Url, token, method == HttpMethod.Patch ? new ByteArrayContent(new byte[4]) : null,
                method == HttpMethod.Patch
                    ? [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")]
                    : [("Tus-Resumable", "1.0.0")]);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task A_public_image_is_everybody_s_to_read_and_its_owner_s_to_change()
    {
        var (owner, other) = (await library.SharedProjectAsync(), await OtherAsync());
        using var admin = library.ClientOf(owner.Admin);
        using var stranger = library.ClientOf(other.Member);
        var image = await library.MakeImageAsync(admin, [1, 2, 3], new ImageCreate { Name = "for all", Visibility = "public" });

        Assert.Equal(image.Sha256, (await stranger.GetImageAsync(image.Id, Stop)).Sha256);
        await stranger.PullAsync(image, Stream.Null, null, Stop);
        Assert.Contains(image.Id, await stranger.ListImagesAsync([new("filter", "public")], Stop).Select(i => i.Id).ToListAsync(Stop));
        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => stranger.DeleteImageAsync(image.Id, Stop));
        Assert.Equal((HttpStatusCode.Forbidden, "not-owner"), (refused.Status, refused.Code));
    }

    [Theory]
    [InlineData("""{"user":"admin","password":"wrong"}""", 401, null)]
    [InlineData("""{"user":"nobody","password":"wrong"}""", 401, null)]
    [InlineData("""{"user":"admin","password":"the admin's password","project":"nowhere"}""", 401, null)]
    [InlineData("""{"user":"admin","password":"the admin's password","domain":"nowhere"}""", 401, null)]
    [InlineData("""{"applicationCredential":{"id":"x","secret":"y"}}""", 401, null)]
    [InlineData("""{"user":"admin"}""", 400, "password")]
    [InlineData("""{"password":"x"}""", 400, "user")]
    [InlineData("""{"applicationCredential":{"id":"x"}}""", 400, "secret")]
    [InlineData("""{"user":"admin","applicationCredential":{"id":"x","secret":"y"}}""", 400, "applicationCredential")]
    [InlineData("""{"user":"admin","password":"the admin's password","project":"admin","domain":"Default"}""", 201, null)]
    [InlineData("""{"user":"admin","password":"the admin's password","domain":"default"}""", 201, null)]
    public async Task A_login_is_answered_without_telling_what_was_wrong(string body, int status, string? field)
    {
        using var response = await library.SendAsync(HttpMethod.Post, "api/v1/tokens", token: null, RestLibrary.Json(body));
        Assert.Equal(status, (int)response.StatusCode);
        if (status >= 400)
            Assert.Equal(field, (await RestLibrary.ProblemOf(response)).Field);
    }

    [Fact]
    public async Task The_doctor_looks_at_everything_a_node_needs()
    {
        using var admin = library.ClientOf((await library.SharedProjectAsync()).Admin);
        var report = await admin.ExamineAsync(url: null, Stop);
        Assert.Equal("node-1", report.Node);
        Assert.Equal(
            ["catalogue", "clock", "nodes", "space.main", "space.other", "space.sharing", "store.main", "store.other", "store.sharing"],
            report.Findings.Select(f => f.Check).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(report.Findings, f => f.Verdict == "fail");

        var refused = await admin.ExamineAsync("http://10.1.2.3/disk.img", Stop);
        Assert.Equal("fail", refused.Verdict);
        Assert.Contains(refused.Findings, f => f is { Check: "source.policy", Verdict: "fail", Remedy: not null });
    }

    private async Task<TestProject> OtherAsync() => _other ??= await library.NewProjectAsync();

    private TestProject? _other;
}
