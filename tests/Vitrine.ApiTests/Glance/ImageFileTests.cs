using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Vitrine.Testing;

namespace Vitrine.ApiTests.Glance;

public sealed class ImageFileTests(LibraryHost host) : GlanceTest(host)
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 1_000_000).Select(i => (byte)(i * 7))];

    [Fact]
    public async Task What_was_uploaded_is_downloaded_with_its_sums()
    {
        var id = await Member.CreateAsync();
        var uploaded = await Member.UploadAsync(id, Bytes);
        Assert.Equal(HttpStatusCode.NoContent, uploaded.Status);
        Assert.Empty(uploaded.Body);

        var image = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal("active", image.Text("status"));
        Assert.Equal(Bytes.Length, image.Json["size"]!.GetValue<long>());
        Assert.Equal(Bytes.Length, image.Json["virtual_size"]!.GetValue<long>());
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(Bytes)), image.Text("checksum"));
        Assert.Equal("sha512", image.Text("os_hash_algo"));
        Assert.Equal(Convert.ToHexStringLower(SHA512.HashData(Bytes)), image.Text("os_hash_value"));
        Assert.Equal("fast", image.Text("stores"));

        var file = await Member.GetAsync($"/v2/images/{id}/file", ("Accept-Encoding", "gzip, deflate"));
        Assert.Equal(HttpStatusCode.OK, file.Status);
        Assert.Equal("application/octet-stream", file.Headers["Content-Type"]);
        Assert.Equal(image.Text("checksum"), file.Headers["Content-MD5"]);
        Assert.DoesNotContain("Content-Encoding", file.Headers.Keys);
        Assert.Equal(Bytes, file.Body);
    }

    [Fact]
    public async Task An_upload_in_chunks_needs_no_length()
    {
        var id = await Member.CreateAsync();
        using var content = Chunked(Bytes);

        Assert.Equal(HttpStatusCode.NoContent, (await Member.SendAsync("PUT", $"/v2/images/{id}/file", content)).Status);
        Assert.Equal(Bytes.Length, (await Member.GetAsync($"/v2/images/{id}")).Json["size"]!.GetValue<long>());
    }

    [Theory]
    [InlineData("1000000", 204)]
    [InlineData("999999", 400)]
    [InlineData("1000001", 400)]
    [InlineData("many", 400)]
    [InlineData("99999999999", 413)]
    public async Task A_length_that_is_announced_for_chunks_is_held_to(string announced, int status)
    {
        var id = await Member.CreateAsync();
        using var content = Chunked(Bytes);
        content.Headers.TryAddWithoutValidation("X-OpenStack-Image-Size", announced);

        Assert.Equal(status, (int)(await Member.SendAsync("PUT", $"/v2/images/{id}/file", content)).Status);
        Assert.Equal(status == 204 ? "active" : "queued", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
    }

    [Fact]
    public async Task A_failed_upload_can_be_repeated()
    {
        var id = await Member.CreateAsync(formats: """ "disk_format":"qcow2","container_format":"bare" """);

        var refused = await Member.UploadAsync(id, Bytes);
        Refused(HttpStatusCode.BadRequest, refused);
        Assert.Contains("qcow2", refused.Text("message"), StringComparison.Ordinal);
        var queued = await Member.GetAsync($"/v2/images/{id}");
        Assert.Equal("queued", queued.Text("status"));
        Assert.False(queued.Json.ContainsKey("os_glance_failed_import"));
        Assert.Equal(HttpStatusCode.NoContent, (await Member.UploadAsync(id, SampleImages.Qcow2())).Status);
        Assert.Equal(SampleImages.VirtualSize, (await Member.GetAsync($"/v2/images/{id}")).Json["virtual_size"]!.GetValue<long>());
    }

    [Fact]
    public async Task Uploads_that_cannot_be_are_refused()
    {
        var id = await Member.CreateActiveAsync([1]);
        Refused(HttpStatusCode.Conflict, await Member.UploadAsync(id, [1]));
        Refused(HttpStatusCode.NotFound, await Member.UploadAsync(Guid.NewGuid().ToString(), [1]));
        Refused(HttpStatusCode.NotFound, await Member.UploadAsync("debian", [1]));
        Refused(HttpStatusCode.BadRequest, await Member.UploadAsync(await Member.CreateAsync(formats: ""), [1]));
        Refused(HttpStatusCode.BadRequest, await Member.UploadAsync(await Member.CreateAsync(), []));
        Refused(HttpStatusCode.BadRequest, await Member.UploadAsync(await Member.CreateAsync(), [1], ("X-Image-Meta-Store", "nowhere")));

        var json = await Member.PutAsync($"/v2/images/{await Member.CreateAsync()}/file", "{}");
        Refused(HttpStatusCode.UnsupportedMediaType, json);
    }

    [Fact]
    public async Task An_upload_goes_to_the_store_that_it_names()
    {
        var id = await Member.CreateAsync();
        await Member.UploadAsync(id, [1, 2], ("X-Image-Meta-Store", LibraryHost.OtherStoreName));

        Assert.Equal(LibraryHost.OtherStoreName, (await Member.GetAsync($"/v2/images/{id}")).Text("stores"));
        Assert.Equal([1, 2], (await Member.GetAsync($"/v2/images/{id}/file")).Body);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_over_the_limit_is_refused_whether_it_was_announced_or_not(bool chunked)
    {
        var id = await Member.CreateAsync();
        using HttpContent content = chunked ? Chunked(new byte[LibraryHost.MaxImageSize + 1]) : new ByteArrayContent(new byte[LibraryHost.MaxImageSize + 1]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");

        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.SendAsync("PUT", $"/v2/images/{id}/file", content));
        Assert.Equal("queued", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
    }

    [Fact]
    public async Task An_image_without_data_has_no_file_which_is_no_error()
    {
        var reply = await Member.GetAsync($"/v2/images/{await Member.CreateAsync()}/file");
        Assert.Equal(HttpStatusCode.NoContent, reply.Status);
        Assert.Empty(reply.Body);
    }

    // The image is ten bytes long: 0 to 9.
    [Theory]
    [InlineData("bytes=0-3", 206, "bytes 0-3/10", "0,1,2,3")]
    [InlineData("bytes=7-", 206, "bytes 7-9/10", "7,8,9")]
    [InlineData("bytes=-2", 206, "bytes 8-9/10", "8,9")]
    [InlineData("bytes=-20", 206, "bytes 0-9/10", "0,1,2,3,4,5,6,7,8,9")]
    [InlineData("bytes=9-9", 206, "bytes 9-9/10", "9")]
    [InlineData("bytes=8-99999999999999999999", 206, "bytes 8-9/10", "8,9")]
    [InlineData("bytes=10-", 416, "bytes */10", null)]
    [InlineData("bytes=-0", 416, "bytes */10", null)]
    [InlineData("bytes=5-4", 416, "bytes */10", null)]
    [InlineData("bytes=x", 416, "bytes */10", null)]
    [InlineData("lines=0-3", 416, "bytes */10", null)]
    [InlineData("bytes=0-1,3-4", 400, null, null)]
    public async Task Parts_are_sent_as_they_are_asked_for(string range, int status, string? contentRange, string? bytes)
    {
        var id = await Member.CreateActiveAsync([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        var reply = await Member.GetAsync($"/v2/images/{id}/file", ("Range", range));

        Assert.Equal(status, (int)reply.Status);
        Assert.Equal(contentRange, reply.Headers.GetValueOrDefault("Content-Range"));
        if (bytes is not null)
            Assert.Equal(bytes, string.Join(',', reply.Body));
    }

    [Fact]
    public async Task The_header_of_older_clients_asks_for_a_part_too()
    {
        var id = await Member.CreateActiveAsync([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        using var reader = await AskAsync(
            Host,
            $"GET /image/v2/images/{id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {Project.Member}\r\nContent-Range: bytes 2-4/10\r\nConnection: close\r\n\r\n");

        var head = await reader.ReadToEndAsync(Stop);
        Assert.StartsWith("HTTP/1.1 206 ", head, StringComparison.Ordinal);
        Assert.Contains("Content-Range: bytes 2-4/10\r\n", head, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n\u0002\u0003\u0004", head, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_that_goes_away_leaves_the_image_as_it_was()
    {
        var id = await Member.CreateAsync();
        using (var socket = await ConnectAsync(Host))
        {
            await socket.SendAsync(
                Encoding.ASCII.GetBytes(
                    $"PUT /image/v2/images/{id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {Project.Member}\r\n"
                    + "Content-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\nbut no more than this"),
                Stop);
            await UntilAsync(id, "saving");
        }

        await UntilAsync(id, "queued");
        Assert.Equal(HttpStatusCode.NoContent, (await Member.UploadAsync(id, [1])).Status);
    }

    [Fact]
    public async Task An_upload_that_stands_still_is_ended()
    {
        await using var impatient = await LibraryHost.StartSmallAsync(new LibraryOptions { IdleTimeout = TimeSpan.FromMilliseconds(100) });
        var project = await impatient.NewProjectAsync(Stop);
        var member = new GlanceCaller(impatient, project.Member);
        var id = await member.CreateAsync();

        using var reader = await AskAsync(
            impatient,
            $"PUT /image/v2/images/{id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {project.Member}\r\n"
            + "Content-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\nbut no more than this");

        Assert.Equal("HTTP/1.1 408 Request Timeout", await reader.ReadLineAsync(Stop));
        Assert.Equal("queued", (await member.GetAsync($"/v2/images/{id}")).Text("status"));
    }

    private static StreamContent Chunked(byte[] bytes)
    {
        var content = new StreamContent(new Unseekable(bytes));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    private async Task UntilAsync(string id, string status)
    {
        while ((await Member.GetAsync($"/v2/images/{id}")).Text("status") != status)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Stop);
    }

    private static async Task<Socket> ConnectAsync(LibraryHost host)
    {
        var address = new Uri(host.Address);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port, Stop);
        return socket;
    }

    /// <summary>Sends what no client of .NET would, and reads the answer as it comes.</summary>
    private static async Task<StreamReader> AskAsync(LibraryHost host, string request)
    {
        var socket = await ConnectAsync(host);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), Stop);
        return new StreamReader(new NetworkStream(socket, ownsSocket: true), Encoding.Latin1);
    }

    /// <summary>Whose length nobody can ask for.</summary>
    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
