using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>The extensions of tus: sums of single requests, parts at once, and when an upload is given up.</summary>
public sealed class UploadPartTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private const string PatchType = "application/offset+octet-stream";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("md5")]
    [InlineData("sha1")]
    [InlineData("sha256")]
    public async Task Bytes_with_a_wrong_sum_are_not_kept_and_with_the_right_one_they_are(string algorithm)
    {
        var (upload, client) = await BeginAsync(1000);
        var bytes = RandomNumberGenerator.GetBytes(1000);
        using var first = await PatchAsync(upload.Url, 0, bytes[..300]);
        using var wrong = await PatchAsync(upload.Url, 300, bytes[300..700], ("Upload-Checksum", $"{algorithm} {Sum(algorithm, bytes[300..701])}"));
        Assert.Equal((460, "upload-checksum"), ((int)wrong.StatusCode, (await RestLibrary.ProblemOf(wrong)).Code));
        Assert.Equal("300", await OffsetAsync(upload.Url));

        using var right = await PatchAsync(upload.Url, 300, bytes[300..], ("Upload-Checksum", $"{algorithm} {Sum(algorithm, bytes[300..])}"));
        Assert.Equal(HttpStatusCode.NoContent, right.StatusCode);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), (await client.GetImageAsync((await client.GetTransferAsync(upload.Transfer, Stop)).Image, Stop)).Sha256);
        client.Dispose();
    }

    [Theory]
    [InlineData("crc32 AAAAAA==", 400)]
    [InlineData("sha1", 400)]
    [InlineData("sha1 AAAA", 400)]
    [InlineData("sha1 %%%", 400)]
    [InlineData("SHA1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=", 400)]
    public async Task A_sum_that_cannot_be_held_against_anything_is_refused(string sum, int status)
    {
        var (upload, client) = await BeginAsync(10);
        using var response = await PatchAsync(upload.Url, 0, new byte[5], ("Upload-Checksum", sum));
        Assert.Equal((status, "Upload-Checksum"), ((int)response.StatusCode, (await RestLibrary.ProblemOf(response)).Field));
        Assert.Equal("0", await OffsetAsync(upload.Url));
        client.Dispose();
    }

    [Fact]
    public async Task A_request_with_a_sum_is_short_enough_to_be_held()
    {
        var (upload, client) = await BeginAsync(20 << 20);
        using var response = await PatchAsync(upload.Url, 0, new byte[(16 << 20) + 1], ("Upload-Checksum", $"sha1 {Sum("sha1", [])}"));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "limit-exceeded"), (response.StatusCode, (await RestLibrary.ProblemOf(response)).Code));
        client.Dispose();
    }

    [Fact]
    public async Task Every_answer_on_the_way_says_when_the_upload_is_given_up()
    {
        var (upload, client) = await BeginAsync(10);
        using var sent = await PatchAsync(upload.Url, 0, new byte[5]);
        var expires = DateTimeOffset.ParseExact(sent.Headers.GetValues("Upload-Expires").Single(), "R", CultureInfo.InvariantCulture);
        var lastProgress = (await client.GetTransferAsync(upload.Transfer, Stop)).LastProgress!.Value;
        Assert.InRange(expires - lastProgress, library.Options.StagingLifetime - TimeSpan.FromSeconds(1), library.Options.StagingLifetime);
        client.Dispose();
    }

    [Fact]
    public async Task As_many_parts_as_there_may_be_are_put_together_by_their_addresses_under_a_ticket()
    {
        const int most = 100;
        var (upload, client) = await BeginAsync(most);
        var image = (await client.GetTransferAsync(upload.Transfer, Stop)).Image;
        var url = (await client.IssueUploadTicketAsync(image, new UploadTicketRequest(), Stop)).Url;
        var parts = new List<string>();
        for (var i = 0; i < most; i++)
        {
            parts.Add(new Uri(library.Address, await AddPartAsync(url, 1)).ToString());
            await SendPartAsync(parts[^1], 0, [1]);
        }

        using var final = await SendAsync(HttpMethod.Post, url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
        Assert.Equal(HttpStatusCode.Created, final.StatusCode);
        client.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Parts_that_are_sent_at_once_become_one_image(bool byTicket)
    {
        var (upload, client) = await BeginAsync(1_000_003);
        var image = (await client.GetTransferAsync(upload.Transfer, Stop)).Image;
        var url = byTicket ? (await client.IssueUploadTicketAsync(image, new UploadTicketRequest(), Stop)).Url : upload.Url;
        var bytes = RandomNumberGenerator.GetBytes(1_000_003);
        var (first, second, third) = (await AddPartAsync(url, 400_000), await AddPartAsync(url, 3), await AddPartAsync(url, 600_000));

        // In another order than they were begun in, and one of them in two requests.
        await Task.WhenAll(
            SendPartAsync(second, 0, bytes[..3]), SendPartAsync(first, 0, bytes[3..400_003]), SendPartAsync(third, 0, bytes[400_003..500_000]));
        Assert.Equal("99997", await OffsetAsync(third));
        await SendPartAsync(third, 99_997, bytes[500_000..]);
        Assert.Equal(1_000_003, (await client.GetTransferAsync(upload.Transfer, Stop)).Moved);
        using var whole = await SendAsync(HttpMethod.Head, url);
        Assert.Equal((HttpStatusCode.OK, "final", false), (whole.StatusCode, whole.Headers.GetValues("Upload-Concat").Single(), whole.Headers.Contains("Upload-Offset")));

        using var final = await SendAsync(HttpMethod.Post, url, null, ("Upload-Concat", $"final;{second} {new Uri(library.Address, first)} {third}"));
        Assert.Equal((HttpStatusCode.Created, url), (final.StatusCode, final.Headers.Location?.ToString()));
        var done = await EndAsync(client, upload.Transfer);
        Assert.Equal(("done", 1_000_003L), (done.State, done.Assembled));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), (await client.GetImageAsync(image, Stop)).Sha256);
        Assert.Equal("1000003", await OffsetAsync(url));
        client.Dispose();
    }

    [Theory]
    [InlineData("none", "upload-parts")]
    [InlineData("twice", "upload-parts")]
    [InlineData("missing", "upload-parts")]
    [InlineData("unfinished", "upload-parts")]
    [InlineData("unknown", "part-not-found")]
    [InlineData("of another upload", "invalid-field")]
    [InlineData("elsewhere", "invalid-field")]
    public async Task Parts_that_do_not_make_the_whole_are_refused_and_can_be_completed(string fault, string code)
    {
        var (upload, client) = await BeginAsync(10);
        var (first, second) = (await AddPartAsync(upload.Url, 4), await AddPartAsync(upload.Url, 6));
        await SendPartAsync(first, 0, [1, 2, 3, 4]);
        await SendPartAsync(second, 0, fault == "unfinished" ? [5, 6] : [5, 6, 7, 8, 9, 10]);
        var named = fault switch
        {
            "none" => "",
            "twice" => $"{first} {second} {first}",
            "missing" => second,
            "unknown" => $"{first} {upload.Url}/parts/9",
            "of another upload" => $"{first} /uploads/{Guid.NewGuid()}/parts/2",
            "elsewhere" => $"{first} https://example.org/file",
            _ => $"{first} {second}",
        };
        using var refused = await SendAsync(HttpMethod.Post, upload.Url, null, ("Upload-Concat", $"final;{named}"));
        Assert.Equal(code, (await RestLibrary.ProblemOf(refused)).Code);

        if (fault == "unfinished")
            await SendPartAsync(second, 2, [7, 8, 9, 10]);
        using var final = await SendAsync(HttpMethod.Post, upload.Url, null, ("Upload-Concat", $"final;{first} {second}"));
        Assert.Equal(HttpStatusCode.Created, final.StatusCode);
        Assert.Equal("done", (await EndAsync(client, upload.Transfer)).State);
        client.Dispose();
    }

    [Fact]
    public async Task A_part_takes_what_was_announced_of_it_and_no_more()
    {
        var (upload, client) = await BeginAsync(10);
        var part = await AddPartAsync(upload.Url, 4);
        using var tooLong = await PatchAsync(part, 0, new byte[5]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLong.StatusCode);
        using var wrongPlace = await PatchAsync(part, 1, new byte[1]);
        Assert.Equal((HttpStatusCode.Conflict, "upload-offset"), (wrongPlace.StatusCode, (await RestLibrary.ProblemOf(wrongPlace)).Code));
        using var tooMany = await SendAsync(HttpMethod.Post, upload.Url, null, ("Upload-Concat", "partial"), ("Upload-Length", "7"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooMany.StatusCode);
        using var empty = await SendAsync(HttpMethod.Post, upload.Url, null, ("Upload-Concat", "partial"), ("Upload-Length", "0"));
        Assert.Equal(HttpStatusCode.BadRequest, empty.StatusCode);
        using var wrongSum = await PatchAsync(part, 0, new byte[4], ("Upload-Checksum", $"sha1 {Sum("sha1", [1])}"));
        Assert.Equal(460, (int)wrongSum.StatusCode);
        using var whole = await PatchAsync(upload.Url, 0, new byte[10]);
        Assert.Equal((HttpStatusCode.Conflict, "transfer-state"), (whole.StatusCode, (await RestLibrary.ProblemOf(whole)).Code));
        Assert.Equal("0", await OffsetAsync(part));
        client.Dispose();
    }

    [Fact]
    public async Task A_part_that_is_given_up_makes_room_for_another()
    {
        var (upload, client) = await BeginAsync(10);
        var part = await AddPartAsync(upload.Url, 10);
        await SendPartAsync(part, 0, [9, 9]);
        using var gone = await SendAsync(HttpMethod.Delete, part);
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        using var head = await SendAsync(HttpMethod.Head, part);
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);

        var again = await AddPartAsync(upload.Url, 10);
        Assert.Equal("0", await OffsetAsync(again));
        client.Dispose();
    }

    private static string Sum(string algorithm, byte[] bytes) => Convert.ToBase64String(algorithm switch
    {
        "md5" => MD5.HashData(bytes),
        "sha1" => SHA1.HashData(bytes),
        _ => SHA256.HashData(bytes),
    });

    private async Task<(UploadRecord Upload, LibraryClient Client)> BeginAsync(long length)
    {
        var client = library.ClientOf((await library.SharedProjectAsync()).Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "in parts", Upload = new UploadRequest { Length = length } }, Stop);
        return (created.Upload!, client);
    }

    private async Task<TransferRecord> EndAsync(LibraryClient client, string transfer) => await client.WatchTransferAsync(transfer, Stop).LastAsync(Stop);

    private async Task<string> AddPartAsync(string url, long length)
    {
        using var response = await SendAsync(HttpMethod.Post, url, null, ("Upload-Concat", "partial"), ("Upload-Length", $"{length}"));
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return response.Headers.Location!.ToString();
    }

    private async Task SendPartAsync(string url, long offset, byte[] bytes)
    {
        using var response = await PatchAsync(url, offset, bytes);
        Assert.Equal((HttpStatusCode.NoContent, $"{offset + bytes.Length}"), (response.StatusCode, response.Headers.GetValues("Upload-Offset").Single()));
    }

    private async Task<string> OffsetAsync(string url)
    {
        using var response = await SendAsync(HttpMethod.Head, url);
        return response.Headers.GetValues("Upload-Offset").Single();
    }

    private Task<HttpResponseMessage> PatchAsync(string url, long offset, byte[] bytes, params (string, string)[] headers) =>
        SendAsync(HttpMethod.Patch, url, new ByteArrayContent(bytes), [("Upload-Offset", $"{offset}"), ("Content-Type", PatchType), .. headers]);

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string url, HttpContent? body = null, params (string, string)[] headers) => await library.SendAsync(
        method, url, (await library.SharedProjectAsync()).Member, body, [("Tus-Resumable", "1.0.0"), .. headers]);
}
