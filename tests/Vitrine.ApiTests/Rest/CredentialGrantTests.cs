using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>Grants to upload that were asked for with an application credential, which end with it.</summary>
public sealed class CredentialGrantTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IIdentityCatalogue Identities => library.Services.GetRequiredService<IIdentityCatalogue>();

    [Theory]
    [InlineData(End.Deleted)]
    [InlineData(End.Expired)]
    public async Task A_ticket_is_spent_when_its_credential_has_ended(End end)
    {
        var (credential, client) = await LogInAsync();
        var upload = new UploadRequest { Length = 5 };
        var created = await client.CreateImageAsync(new ImageCreate { Name = "by ticket", Upload = upload }, Stop);
        var ticket = await client.IssueUploadTicketAsync(created.Image.Id, new UploadTicketRequest(), Stop);
        using var first = await PatchAsync(ticket.Url, 0);
        Assert.Equal(HttpStatusCode.NoContent, first.StatusCode);

        await EndAsync(credential, end);
        using var second = await PatchAsync(ticket.Url, 1);
        Assert.Equal((HttpStatusCode.Forbidden, "ticket-spent"), (second.StatusCode, (await RestLibrary.ProblemOf(second)).Code));
        client.Dispose();
    }

    [Theory]
    [InlineData(End.Deleted)]
    [InlineData(End.Expired)]
    public async Task A_form_is_spent_when_its_credential_has_ended(End end)
    {
        var (credential, client) = await LogInAsync();
        var (good, spent) = (await IssueFormAsync(client), await IssueFormAsync(client));
        using var first = await PostAsync(good);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);

        await EndAsync(credential, end);
        using var second = await PostAsync(spent);
        Assert.Equal((HttpStatusCode.Forbidden, "ticket-spent"), (second.StatusCode, (await RestLibrary.ProblemOf(second)).Code));
        client.Dispose();
    }

    /// <summary>What becomes of a credential.</summary>
    public enum End
    {
        Deleted,
        Expired,
    }

    private async Task<(ApplicationCredential Credential, LibraryClient Client)> LogInAsync()
    {
        var logins = library.Services.GetRequiredService<Logins>();
        var user = await logins.ValidateAsync((await library.SharedProjectAsync()).Member, Stop);
        var made = await library.Services.GetRequiredService<IdentityAdministration>()
            .CreateCredentialAsync(user, user.User.Id, new CredentialDraft($"c {Guid.NewGuid():N}"), Stop);
        var reference = new CredentialReference(made.Credential.Id.Value, Name: null, User: null);
        return (made.Credential, library.ClientOf((await logins.ByApplicationCredentialAsync(reference, made.Secret, Stop)).Token));
    }

    private Task EndAsync(ApplicationCredential credential, End end) => Identities.SaveAsync(
        end is End.Deleted
            ? [new IdentityChange.DeleteCredential(credential.Id)]
            : [
                new IdentityChange.DeleteCredential(credential.Id),
                new IdentityChange.AddCredential(credential with { ExpiresAt = TimeProvider.System.Now() - TimeSpan.FromHours(1) }),
            ],
        Stop);

    private static async Task<UploadFormRecord> IssueFormAsync(LibraryClient client)
    {
        var image = (await client.CreateImageAsync(new ImageCreate { Name = "by form" }, Stop)).Image.Id;
        return await client.IssueUploadFormAsync(image, new UploadTicketRequest(), Stop);
    }

    private Task<HttpResponseMessage> PatchAsync(string url, long offset) => library.SendAsync(
        HttpMethod.Patch, url, token: null, new ByteArrayContent([1]),
        ("Tus-Resumable", "1.0.0"), ("Upload-Offset", $"{offset}"), ("Content-Type", "application/offset+octet-stream"));

    private Task<HttpResponseMessage> PostAsync(UploadFormRecord form) => library.SendAsync(
        HttpMethod.Post, form.PostURL, token: null, new MultipartFormDataContent { { new ByteArrayContent([1, 2, 3]), "files[]", "disk.img" } },
        ("X-signature", form.Signature), ("X-metadata", form.Metadata), ("X-expires", form.Expires));
}
