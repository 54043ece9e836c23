using System.Net;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;

namespace Vitrine.ApiTests.Rest;

/// <summary>Uploads as tus 1.0 describes them.</summary>
public sealed class UploadTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private const string Resumable = "Tus-Resumable";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_says_what_it_speaks_to_anybody()
    {
        using var response = await library.SendAsync(HttpMethod.Options, "uploads", token: null);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("1.0.0", Header(response, Resumable));
        Assert.Equal("1.0.0", Header(response, "Tus-Version"));
        Assert.Equal("checksum,expiration,termination,concatenation", Header(response, "Tus-Extension"));
        Assert.Equal($"{library.Options.MaxImageSize}", Header(response, "Tus-Max-Size"));
    }

    [Fact]
    public async Task Bytes_come_in_pieces_and_the_last_makes_the_image_active()
    {
        var (project, client, created) = await BeginAsync(1000);
        var bytes = RandomNumberGenerator.GetBytes(1000);
        var path = created.Upload!.Url;
        Assert.Equal(("0", "1000"), await HeadAsync(path, project));

        using var first = await PatchAsync(path, project, 0, bytes[..300]);
        Assert.Equal((HttpStatusCode.NoContent, "300"), (first.StatusCode, Header(first, "Upload-Offset")));
        Assert.Equal(("300", "1000"), await HeadAsync(path, project));
        var underWay = await client.GetImageAsync(created.Image.Id, Stop);
        Assert.Equal(("saving", 300L), (underWay.Status, underWay.Transfer!.Moved));

        using var second = await PatchAsync(path, project, 300, bytes[300..]);
        Assert.Equal((HttpStatusCode.NoContent, "1000"), (second.StatusCode, Header(second, "Upload-Offset")));
        Assert.Equal(("1000", "1000"), await HeadAsync(path, project));
        var image = await client.GetImageAsync(created.Image.Id, Stop);
        Assert.Equal(("active", Convert.ToHexStringLower(SHA256.HashData(bytes))), (image.Status, image.Sha256));
        client.Dispose();
    }

    [Theory]
    [InlineData(299)]
    [InlineData(301)]
    [InlineData(0)]
    public async Task A_wrong_offset_is_refused_and_changes_nothing(long offset)
    {
        var (project, client, created) = await BeginAsync(1000);
        using var first = await PatchAsync(created.Upload!.Url, project, 0, new byte[300]);
        using var wrong = await PatchAsync(created.Upload.Url, project, offset, new byte[10]);
        Assert.Equal((HttpStatusCode.Conflict, "upload-offset"), (wrong.StatusCode, (await RestLibrary.ProblemOf(wrong)).Code));
        Assert.Equal("300", Header(wrong, "Upload-Offset"));
        Assert.Equal(("300", "1000"), await HeadAsync(created.Upload.Url, project));
        client.Dispose();
    }

    [Fact]
    public async Task More_than_was_announced_is_refused_before_it_is_taken()
    {
        var (project, client, created) = await BeginAsync(100);
        using var response = await PatchAsync(created.Upload!.Url, project, 0, new byte[101]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal(("0", "100"), await HeadAsync(created.Upload.Url, project));
        client.Dispose();
    }

    [Theory]
    [InlineData("Tus-Resumable", "0.2.2", 412)]
    [InlineData("Tus-Resumable", null, 412)]
    [InlineData("Upload-Offset", "-1", 400)]
    [InlineData("Upload-Offset", "x", 400)]
    [InlineData("Upload-Offset", null, 400)]
    [InlineData("Content-Type", "application/octet-stream", 415)]
    public async Task A_request_that_is_not_tus_is_refused(string header, string? value, int status)
    {
        var (project, client, created) = await BeginAsync(100);
        var headers = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [Resumable] = "1.0.0",
            ["Upload-Offset"] = "0",
            ["Content-Type"] = "application/offset+octet-stream",
            [header] = value,
        };
        using var response = await library.SendAsync(
            HttpMethod.Patch, created.Upload!.Url, project.Member, new ByteArrayContent(new byte[10]),
            [.. headers.Where(h => h.Value is not null).Select(h => (h.Key, h.Value!))]);
        Assert.Equal(status, (int)response.StatusCode);
        await RestLibrary.ProblemOf(response);
        Assert.Equal(("0", "100"), await HeadAsync(created.Upload.Url, project));
        client.Dispose();
    }

    [Fact]
    public async Task Two_requests_cannot_send_at_once()
    {
        var (project, client, created) = await BeginAsync(1000);
        await using var pipe = new HeldBody(200);
        var first = PatchAsync(created.Upload!.Url, project, 0, pipe.Content);
        while ((await client.GetTransferAsync(created.Upload.Transfer, Stop)).Step != "receiving")
        {
            Assert.False(first.IsCompleted, "it was answered before it was sent");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Stop);
        }

        using var busy = await PatchAsync(created.Upload.Url, project, 0, new byte[10]);
        Assert.Equal(HttpStatusCode.Locked, busy.StatusCode);
        Assert.Equal("upload-busy", (await RestLibrary.ProblemOf(busy)).Code);

        pipe.Release();
        using var done = await first;
        Assert.Equal((HttpStatusCode.NoContent, "200"), (done.StatusCode, Header(done, "Upload-Offset")));
        client.Dispose();
    }

    [Fact]
    public async Task A_body_that_stands_still_ends_the_request_but_not_the_upload()
    {
        var (project, client, created) = await BeginAsync(1000);
        library.Options.IdleTimeout = TimeSpan.FromMilliseconds(200);
        await using var pipe = new HeldBody(200);
        var stalled = PatchAsync(created.Upload!.Url, project, 0, pipe.Content);
        try
        {
            // The client still holds its connection and means to send; the library has let go of the upload.
            while (await GoOnAsync() is var status && status != HttpStatusCode.NoContent)
            {
                Assert.True(status is HttpStatusCode.Locked or HttpStatusCode.Conflict, $"{status}");
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
            }
        }
        finally
        {
            library.Options.IdleTimeout = TimeSpan.FromSeconds(60);
            pipe.Release();
        }

        Assert.Equal("active", (await client.GetImageAsync(created.Image.Id, Stop)).Status);
        if (await Record.ExceptionAsync(() => stalled) is { } cut)
            Assert.IsType<HttpRequestException>(cut);
        else
            Assert.Equal("upload-stalled", (await RestLibrary.ProblemOf(await stalled)).Code);
        client.Dispose();

        async Task<HttpStatusCode> GoOnAsync()
        {
            using var response = await PatchAsync(created.Upload.Url, project, 200, new byte[800]);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task An_upload_that_is_given_up_is_gone()
    {
        var (project, client, created) = await BeginAsync(1000);
        using var sent = await PatchAsync(created.Upload!.Url, project, 0, new byte[10]);
        using var ended = await library.SendAsync(HttpMethod.Delete, created.Upload.Url, project.Member, null, (Resumable, "1.0.0"));
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);

        using var head = await library.SendAsync(HttpMethod.Head, created.Upload.Url, project.Member, null, (Resumable, "1.0.0"));
        Assert.Equal(HttpStatusCode.Gone, head.StatusCode);
        using var more = await PatchAsync(created.Upload.Url, project, 10, new byte[10]);
        Assert.Equal(HttpStatusCode.Conflict, more.StatusCode);

        // The image can receive other content.
        var again = await client.BeginUploadAsync(created.Image.Id, new UploadRequest { Length = 5 }, Stop);
        using var all = await PatchAsync(again.Url, project, 0, [1, 2, 3, 4, 5]);
        Assert.Equal("active", (await client.GetImageAsync(created.Image.Id, Stop)).Status);
        client.Dispose();
    }

    [Theory]
    [InlineData("checksum-mismatch")]
    [InlineData("format-mismatch")]
    [InlineData("unsafe-feature")]
    [InlineData("not-an-image")]
    public async Task Content_that_is_not_acceptable_never_becomes_active(string code)
    {
        var bytes = code switch
        {
            "unsafe-feature" => SampleImages.Qcow2WithBackingFile("/etc/passwd"),
            "not-an-image" => SampleImages.WebPage(),
            _ => SampleImages.Qcow2(),
        };
        var (project, client, created) = await BeginAsync(
            bytes.Length, code == "format-mismatch" ? "vmdk" : null, code == "checksum-mismatch" ? $"sha256:{new string('a', 64)}" : null);
        using var response = await PatchAsync(created.Upload!.Url, project, 0, bytes);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, code), (response.StatusCode, (await RestLibrary.ProblemOf(response)).Code));

        var image = await client.GetImageAsync(created.Image.Id, Stop);
        Assert.Equal(("failed", code), (image.Status, image.Failure!.Code));
        Assert.Empty(image.Replicas);
        client.Dispose();
    }

    [Fact]
    public async Task An_upload_goes_on_after_the_library_was_restarted()
    {
        var (project, client, created) = await BeginAsync(500_000);
        var bytes = RandomNumberGenerator.GetBytes(500_000);
        using var first = await PatchAsync(created.Upload!.Url, project, 0, bytes[..300_001]);

        await library.StopAsync();
        await library.StartAsync();

        Assert.Equal(("300001", "500000"), await HeadAsync(created.Upload.Url, project));
        using var rest = await PatchAsync(created.Upload.Url, project, 300_001, bytes[300_001..]);
        Assert.Equal(HttpStatusCode.NoContent, rest.StatusCode);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), (await client.GetImageAsync(created.Image.Id, Stop)).Sha256);
        client.Dispose();
    }

    [Fact]
    public async Task Clients_without_PATCH_say_it_in_a_header()
    {
        var (project, client, created) = await BeginAsync(10);
        using var response = await library.SendAsync(
            HttpMethod.Post, created.Upload!.Url, project.Member, new ByteArrayContent(new byte[10]),
            (Resumable, "1.0.0"), ("X-HTTP-Method-Override", "PATCH"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("active", (await client.GetImageAsync(created.Image.Id, Stop)).Status);
        client.Dispose();
    }

    private async Task<(TestProject Project, LibraryClient Client, ImageCreated Created)> BeginAsync(
        long length, string? format = null, string? checksum = null)
    {
        var project = await library.SharedProjectAsync();
        var client = library.ClientOf(project.Member);
        var created = await client.CreateImageAsync(
            new ImageCreate { Name = "upload", Format = format, Upload = new UploadRequest { Length = length, Checksum = checksum } }, Stop);
        return (project, client, created);
    }

    private async Task<(string Offset, string Length)> HeadAsync(string path, TestProject project)
    {
        using var response = await library.SendAsync(HttpMethod.Head, path, project.Member, null, (Resumable, "1.0.0"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Headers.CacheControl?.NoStore);
        return (Header(response, "Upload-Offset"), Header(response, "Upload-Length"));
    }

    private Task<HttpResponseMessage> PatchAsync(string path, TestProject project, long offset, byte[] bytes) =>
        PatchAsync(path, project, offset, new ByteArrayContent(bytes));

    private Task<HttpResponseMessage> PatchAsync(string path, TestProject project, long offset, HttpContent body) => library.SendAsync(
        HttpMethod.Patch, path, project.Member, body,
        (Resumable, "1.0.0"), ("Upload-Offset", $"{offset}"), ("Content-Type", "application/offset+octet-stream"));

    private static string Header(HttpResponseMessage response, string name) => response.Headers.GetValues(name).Single();
}
