using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.Transfers;

namespace Vitrine.ApiTests.Rest;

/// <summary>Uploads without a login, by an address that is a grant.</summary>
public sealed class UploadTicketTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_has_the_address_uploads_and_nobody_reads_it_in_the_log()
    {
        var (image, ticket, client) = await IssueAsync(1000);
        var bytes = RandomNumberGenerator.GetBytes(1000);
        using var first = await PatchAsync(ticket.Url, 0, bytes[..400]);
        Assert.Equal(HttpStatusCode.NoContent, first.StatusCode);
        using var head = await SendAsync(HttpMethod.Head, ticket.Url);
        Assert.Equal("400", head.Headers.GetValues("Upload-Offset").Single());
        using var wrong = await PatchAsync(ticket.Url, 0, bytes[..10]);
        Assert.Equal(HttpStatusCode.Conflict, wrong.StatusCode);
        using var rest = await PatchAsync(ticket.Url, 400, bytes[400..]);
        Assert.Equal("1000", rest.Headers.GetValues("Upload-Offset").Single());

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), (await client.GetImageAsync(image, Stop)).Sha256);
        Assert.Contains(library.Log.Lines, line => line.Contains("/uploads/ticket", StringComparison.Ordinal));
        Assert.DoesNotContain(library.Log.Lines, line => line.Contains(ticket.Url[9..], StringComparison.Ordinal));
        Assert.DoesNotContain(ticket.Url, ticket.ToString(), StringComparison.Ordinal);
        client.Dispose();
    }

    [Fact]
    public async Task A_ticket_is_spent_with_the_last_byte_and_only_says_that_all_is_there()
    {
        var (_, ticket, client) = await IssueAsync(5);
        using var sent = await PatchAsync(ticket.Url, 0, [1, 2, 3, 4, 5]);
        using var head = await SendAsync(HttpMethod.Head, ticket.Url);
        Assert.Equal("5", head.Headers.GetValues("Upload-Offset").Single());

        using var again = await PatchAsync(ticket.Url, 0, [1, 2, 3, 4, 5]);
        await AssertRefusedAsync(again, HttpStatusCode.Forbidden, "ticket-spent");
        using var end = await SendAsync(HttpMethod.Delete, ticket.Url);
        await AssertRefusedAsync(end, HttpStatusCode.Forbidden, "ticket-spent");
        client.Dispose();
    }

    [Fact]
    public async Task A_ticket_of_an_upload_is_good_for_no_other_of_the_same_image()
    {
        var (image, ticket, client) = await IssueAsync(5);
        using var ended = await SendAsync(HttpMethod.Delete, ticket.Url);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await client.BeginUploadAsync(image, new UploadRequest { Length = 5 }, Stop);

        using var replayed = await PatchAsync(ticket.Url, 0, [1, 2, 3, 4, 5]);
        await AssertRefusedAsync(replayed, HttpStatusCode.Forbidden, "ticket-spent");
        using var head = await SendAsync(HttpMethod.Head, ticket.Url);
        Assert.Equal(HttpStatusCode.Forbidden, head.StatusCode);
        client.Dispose();
    }

    [Theory]
    [InlineData("altered")]
    [InlineData("cut")]
    [InlineData("of another purpose")]
    [InlineData("ticket")]
    [InlineData("x")]
    public async Task What_is_no_ticket_of_ours_is_refused(string fault)
    {
        var (_, ticket, client) = await IssueAsync(5);
        var url = fault switch
        {
            "altered" => ticket.Url[..40] + (ticket.Url[40] == 'A' ? 'B' : 'A') + ticket.Url[41..],
            "cut" => ticket.Url[..^2],
            "of another purpose" => "/uploads/" + library.Services.GetRequiredService<ISecretProtector>().Protect(Seal.Unprotect(ticket.Url[9..])),
            _ => $"/uploads/{fault}",
        };
        using var response = await PatchAsync(url, 0, [1, 2, 3, 4, 5]);
        await AssertRefusedAsync(response, HttpStatusCode.Unauthorized, "ticket-invalid");
        client.Dispose();
    }

    [Fact]
    public async Task A_ticket_ends_with_its_time()
    {
        var (_, ticket, client) = await IssueAsync(5);
        var parts = Seal.Unprotect(ticket.Url[9..]).Split(' ');
        parts[^1] = $"{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 1}";
        using var response = await PatchAsync($"/uploads/{Seal.Protect(string.Join(' ', parts))}", 0, [1, 2, 3, 4, 5]);
        await AssertRefusedAsync(response, HttpStatusCode.Unauthorized, "ticket-expired");
        client.Dispose();
    }

    [Theory]
    [InlineData("""{"lifetime":0}""", 400, "invalid-field")]
    [InlineData("""{"lifetime":-1}""", 400, "invalid-field")]
    [InlineData("""{"lifetime":604801}""", 400, "invalid-field")]
    [InlineData("""{"for":1}""", 400, "invalid-field")]
    [InlineData("""{}""", 409, "image-status")]
    public async Task A_ticket_needs_an_open_upload_and_a_sound_lifetime(string body, int status, string code)
    {
        var project = await library.SharedProjectAsync();
        using var client = library.ClientOf(project.Member);
        var upload = status == 409 ? null : new UploadRequest { Length = 5 };
        var image = (await client.CreateImageAsync(new ImageCreate { Name = "a", Upload = upload }, Stop)).Image.Id;
        using var response = await library.SendAsync(HttpMethod.Post, $"api/v1/images/{image}/upload-ticket", project.Member, RestLibrary.Json(body));
        await AssertRefusedAsync(response, (HttpStatusCode)status, code);
    }

    [Fact]
    public async Task A_page_of_another_origin_may_upload_and_nothing_else()
    {
        var (_, ticket, client) = await IssueAsync(5);
        using var preflight = await library.SendAsync(
            HttpMethod.Options, ticket.Url, token: null, null, ("Origin", "https://panel.example"), ("Access-Control-Request-Method", "PATCH"),
            ("Access-Control-Request-Headers", "tus-resumable,upload-offset,content-type"));
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal("*", preflight.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("PATCH", preflight.Headers.GetValues("Access-Control-Allow-Methods").Single(), StringComparison.Ordinal);

        using var sent = await SendAsync(
            HttpMethod.Patch, ticket.Url, new ByteArrayContent([1, 2]), ("Origin", "https://panel.example"), ("Upload-Offset", "0"),
            ("Content-Type", "application/offset+octet-stream"));
        Assert.Equal("*", sent.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("Upload-Offset", sent.Headers.GetValues("Access-Control-Expose-Headers").Single(), StringComparison.Ordinal);

        using var api = await library.SendAsync(
            HttpMethod.Options, "api/v1/images", token: null, null, ("Origin", "https://panel.example"), ("Access-Control-Request-Method", "GET"));
        Assert.False(api.Headers.Contains("Access-Control-Allow-Origin"));
        client.Dispose();
    }

    private ISecretProtector Seal => library.Services.GetRequiredKeyedService<ISecretProtector>(UploadTickets.Purpose);

    private async Task<(string Image, UploadTicketRecord Ticket, LibraryClient Client)> IssueAsync(long length)
    {
        var client = library.ClientOf((await library.SharedProjectAsync()).Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "by ticket", Upload = new UploadRequest { Length = length } }, Stop);
        return (created.Image.Id, await client.IssueUploadTicketAsync(created.Image.Id, new UploadTicketRequest(), Stop), client);
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string code) =>
        Assert.Equal((status, code), (response.StatusCode, (await RestLibrary.ProblemOf(response)).Code));

    private Task<HttpResponseMessage> PatchAsync(string url, long offset, byte[] bytes) => SendAsync(
        HttpMethod.Patch, url, new ByteArrayContent(bytes), ("Upload-Offset", $"{offset}"), ("Content-Type", "application/offset+octet-stream"));

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string url, HttpContent? body = null, params (string, string)[] headers) =>
        library.SendAsync(method, url, token: null, body, [("Tus-Resumable", "1.0.0"), .. headers]);
}
