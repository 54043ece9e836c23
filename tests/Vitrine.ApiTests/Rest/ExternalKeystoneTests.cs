using System.Net;
using System.Text;
using Vitrine.Client;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Rest;

/// <summary>What our own face does with users and projects that the library does not know, because the cloud's Keystone does.</summary>
public sealed class ExternalKeystoneTests : IAsyncLifetime
{
    private const string Path = "/v3/auth/tokens";
    private const string Project = "0123456789abcdef0123456789abcdef";

    private readonly ScriptedHttpServer _keystone = ScriptedHttpServer.Start();
    private RestLibrary? _library;
    private LibraryClient? _admin;

    private LibraryClient Admin => _admin!;

    public async ValueTask InitializeAsync()
    {
        _keystone.Serve(Path, ScriptedContent.Of(Encoding.UTF8.GetBytes($$$"""
            {"token": {"methods": ["password"], "audit_ids": ["a"], "issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2099-01-01T00:00:00.000000Z",
              "user": {"id": "u1", "name": "somebody", "domain": {"id": "default", "name": "Default"}},
              "project": {"id": "{{{Project}}}", "name": "tenant", "domain": {"id": "default", "name": "Default"}},
              "roles": [{"id": "r1", "name": "admin"}]}}
            """))).ContentType = "application/json";
        _library = new RestLibrary { Keystone = $"http://127.0.0.1:{_keystone.Port}/v3" };
        await _library.InitializeAsync();
        _admin = _library.ClientOf("a token of the cloud");
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await _library!.DisposeAsync();
        await _keystone.DisposeAsync();
    }

    [Fact]
    public async Task Quotas_of_the_clouds_projects_are_set_and_seen_by_their_ids()
    {
        var other = new string('a', 32);
        await Admin.ChangeQuotasAsync(other, new QuotaChange { Limits = new Dictionary<string, long?> { ["images"] = 3 } }, Stop);
        Assert.Contains(new QuotaRecord("images", 3, 0, true), (await Admin.GetQuotasAsync(other, Stop)).Items);
        Assert.Contains(new QuotaRecord("images", 3, 0, true), (await Admin.GetQuotasAsync(other.ToUpperInvariant(), Stop)).Items);
        Assert.Equal(other, (await Admin.GetQuotasAsync(other.ToUpperInvariant(), Stop)).Project);
        Assert.Contains(new QuotaRecord("images", null, 0, false), (await Admin.GetQuotasAsync(Project, Stop)).Items);

        var named = await Assert.ThrowsAsync<LibraryClientException>(() => Admin.GetQuotasAsync("tenant", Stop));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid-field"), (named.Status, named.Code));
    }

    [Fact]
    public async Task No_grants_are_given_whose_rights_nobody_could_look_at_when_they_are_used()
    {
        var created = await Admin.CreateImageAsync(new ImageCreate { Name = "a", Upload = new UploadRequest { Length = 9 } }, Stop);
        var ticket = await Assert.ThrowsAsync<LibraryClientException>(() => Admin.IssueUploadTicketAsync(created.Image.Id, new UploadTicketRequest(), Stop));
        Assert.Equal((HttpStatusCode.Conflict, "grants-unavailable"), (ticket.Status, ticket.Code));

        var queued = await Admin.CreateImageAsync(new ImageCreate { Name = "b" }, Stop);
        using var form = await _library!.SendAsync(
            HttpMethod.Post, $"api/v1/images/{queued.Image.Id}/upload-form", "a token of the cloud", RestLibrary.Json("{}"));
        Assert.Equal((HttpStatusCode.Conflict, "grants-unavailable"), (form.StatusCode, (await RestLibrary.ProblemOf(form)).Code));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
