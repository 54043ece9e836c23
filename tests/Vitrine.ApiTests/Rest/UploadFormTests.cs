using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.Transfers;

namespace Vitrine.ApiTests.Rest;

/// <summary>Uploads by a form, as CloudStack's pages send them.</summary>
public sealed class UploadFormTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ISecretProtector Seal => library.Services.GetRequiredKeyedService<ISecretProtector>(UploadForms.Purpose);

    [Fact]
    public async Task The_file_of_a_form_becomes_the_content()
    {
        var (form, client) = await IssueAsync();
        var bytes = RandomNumberGenerator.GetBytes(1_000_003);
        using var sent = await PostAsync(form, File(bytes), ("Origin", "https://panel.example"));
        Assert.Equal((HttpStatusCode.OK, "upload successful."), (sent.StatusCode, await sent.Content.ReadAsStringAsync(Stop)));
        Assert.Equal("*", sent.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), (await client.GetImageAsync(form.Image, Stop)).Sha256);
        Assert.DoesNotContain(library.Log.Lines, line => line.Contains(form.Signature, StringComparison.Ordinal) || line.Contains(form.Metadata, StringComparison.Ordinal));

        using var replayed = await PostAsync(form, File(bytes));
        await AssertRefusedAsync(replayed, HttpStatusCode.Forbidden, "ticket-spent");
        client.Dispose();
    }

    [Theory]
    [InlineData("signature")]
    [InlineData("metadata")]
    [InlineData("expires")]
    [InlineData("image")]
    [InlineData("without")]
    public async Task A_grant_that_was_altered_is_refused_and_spoils_nothing(string what)
    {
        var (form, client) = await IssueAsync();
        var (other, otherClient) = await IssueAsync();
        var altered = what switch
        {
            "signature" => form with { Signature = other.Signature },
            "metadata" => form with { Metadata = other.Metadata },
            "expires" => form with { Expires = "2999-01-01T00:00:00.000Z" },
            "image" => form with { PostURL = other.PostURL },
            _ => form with { Signature = "", Metadata = "", Expires = "" },
        };
        using var refused = await PostAsync(altered, File([1, 2, 3]));
        await AssertRefusedAsync(refused, HttpStatusCode.Unauthorized, "ticket-invalid");
        Assert.Equal("queued", (await client.GetImageAsync(form.Image, Stop)).Status);

        using var sent = await PostAsync(form, File([1, 2, 3]));
        Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        client.Dispose();
        otherClient.Dispose();
    }

    [Fact]
    public async Task A_grant_ends_with_its_time()
    {
        var (form, client) = await IssueAsync();
        const string Past = "2026-01-01T00:00:00.000Z";
        var sum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{form.Image}\n{form.Metadata}\n{Past}")));
        using var refused = await PostAsync(form with { Expires = Past, Signature = Seal.Protect(sum) }, File([1, 2, 3]));
        await AssertRefusedAsync(refused, HttpStatusCode.Unauthorized, "ticket-expired");
        client.Dispose();
    }

    [Theory]
    [InlineData("a field first", "malformed-form", "queued")]
    [InlineData("two files", "malformed-form", "failed")]
    [InlineData("cut off", "malformed-form", "failed")]
    [InlineData("no form", "refused", "queued")]
    [InlineData("no boundary", "malformed-form", "queued")]
    [InlineData("nothing", "malformed-form", "queued")]
    public async Task A_form_that_is_not_one_whole_file_makes_no_image(string fault, string code, string status)
    {
        var (form, client) = await IssueAsync();
        using HttpContent content = fault switch
        {
            "a field first" => With(new MultipartFormDataContent(), c => c.Add(new StringContent("x"), "name")),
            "two files" => With(File([1, 2, 3]), c => c.Add(new ByteArrayContent([4]), "more", "b.img")),
            "no form" => Raw("abc", "application/octet-stream"),
            "no boundary" => Raw("abc", "multipart/form-data"),
            "nothing" => Raw("", "multipart/form-data; boundary=x"),
            _ => Raw("--x\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"a.img\"\r\n\r\nabcdef", "multipart/form-data; boundary=x"),
        };
        using var refused = await PostAsync(form, content);
        Assert.InRange((int)refused.StatusCode, 400, 499);
        Assert.Equal(code, (await RestLibrary.ProblemOf(refused)).Code);
        Assert.Equal(status, (await client.GetImageAsync(form.Image, Stop)).Status);
        client.Dispose();
    }

    [Fact]
    public async Task A_form_is_given_for_an_image_without_content_and_for_a_sound_time()
    {
        var project = await library.SharedProjectAsync();
        using var client = library.ClientOf(project.Member);
        var active = await library.MakeImageAsync(client, [1, 2, 3]);
        using var late = await library.SendAsync(HttpMethod.Post, $"api/v1/images/{active.Id}/upload-form", project.Member, RestLibrary.Json("{}"));
        await AssertRefusedAsync(late, HttpStatusCode.Conflict, "image-status");
        var image = (await client.CreateImageAsync(new ImageCreate { Name = "a" }, Stop)).Image.Id;
        using var never = await library.SendAsync(HttpMethod.Post, $"api/v1/images/{image}/upload-form", project.Member, RestLibrary.Json("""{"lifetime":0}"""));
        await AssertRefusedAsync(never, HttpStatusCode.BadRequest, "invalid-field");
    }

    private static MultipartFormDataContent File(byte[] bytes) => With(new MultipartFormDataContent(), c => c.Add(new ByteArrayContent(bytes), "files[]", "disk.img"));

    private static MultipartFormDataContent With(MultipartFormDataContent content, Action<MultipartFormDataContent> add)
    {
        add(content);
        return content;
    }

    private static ByteArrayContent Raw(string text, string type)
    {
        var content = new ByteArrayContent(Encoding.ASCII.GetBytes(text));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string code) =>
        Assert.Equal((status, code), (response.StatusCode, (await RestLibrary.ProblemOf(response)).Code));

    private async Task<(UploadFormRecord Form, LibraryClient Client)> IssueAsync()
    {
        var client = library.ClientOf((await library.SharedProjectAsync()).Member);
        var image = (await client.CreateImageAsync(new ImageCreate { Name = "by form" }, Stop)).Image.Id;
        return (await client.IssueUploadFormAsync(image, new UploadTicketRequest(), Stop), client);
    }

    private Task<HttpResponseMessage> PostAsync(UploadFormRecord form, HttpContent body, params (string, string)[] headers) => library.SendAsync(
        HttpMethod.Post, form.PostURL, token: null, body, [.. Grant(form).Where(h => h.Item2.Length > 0), .. headers]);

    private static (string, string)[] Grant(UploadFormRecord form) => [("X-signature", form.Signature), ("X-metadata", form.Metadata), ("X-expires", form.Expires)];
}
