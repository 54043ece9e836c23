using System.Net;
using System.Text.Json.Nodes;
using Vitrine.Client;
using Vitrine.Nodes;

namespace Vitrine.ApiTests.Rest;

/// <summary>Nodes and limits as operators see and change them, by the REST face.</summary>
public sealed class NodeTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private const string Here = "node-1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_says_what_it_is_and_what_it_works_on()
    {
        using var admin = library.ClientOf((await library.NewProjectAsync()).Admin);
        var node = await admin.GetNodeAsync(Here, Stop);
        Assert.Equal(("zone-1", "up", "open", 16L), (node.Zone, node.State, node.Mode, node.TransferLimit));
        Assert.Equal(["api", "transfer"], node.Roles);
        Assert.Equal(["main", "other", RestLibrary.SharingStore], node.Stores);
        Assert.Contains(await admin.ListNodesAsync(Stop), n => n.Name == Here);
        var missing = await Assert.ThrowsAsync<LibraryClientException>(() => admin.GetNodeAsync("node-99", Stop));
        Assert.Equal("node-not-found", missing.Code);
    }

    [Fact]
    public async Task A_node_that_is_drained_is_drained_until_it_is_opened_and_takes_no_content_meanwhile()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var drained = await admin.ChangeNodeAsync(Here, new NodeChange { Mode = "draining" }, Stop);
        Assert.Equal(("draining", "No other node of the zone 'zone-1' takes work: its transfers wait until one does."), (drained.Mode, drained.Warning));
        Assert.Equal("draining", drained.State);
        await library.ReportAsync(NodeMode.Draining);
        Assert.Equal("drained", (await admin.GetNodeAsync(Here, Stop)).State);
        try
        {
            var created = await admin.CreateImageAsync(new ImageCreate { Name = "late", Upload = new UploadRequest { Length = 3 } }, Stop);
            using var refused = await library.SendAsync(
                HttpMethod.Patch, created.Upload!.Url.TrimStart('/'), project.Admin, Body(), ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal(NodeDrainingException.RetryAfter, refused.Headers.RetryAfter?.Delta);
            Assert.Equal("node-draining", (await RestLibrary.ProblemOf(refused)).Code);

            var import = await admin.CreateImageAsync(
                new ImageCreate { Name = "waiting", Source = new ImageSource { Url = "http://127.0.0.1:1/disk.img" } }, Stop);
            Assert.Equal("No living node takes work.", (await admin.GetTransferAsync(import.Transfer!.Id, Stop)).Waiting);
            Assert.Equal("No living node takes work.", (await admin.ExplainTransferAsync(import.Transfer.Id, Stop)).Cause);

            var opened = await admin.ChangeNodeAsync(Here, new NodeChange { Mode = "open" }, Stop);
            Assert.Equal(("up", null), (opened.State, opened.Warning));
            await library.ReportAsync(NodeMode.Open);
            Assert.Null((await admin.GetTransferAsync(import.Transfer.Id, Stop)).Waiting);
            using var taken = await library.SendAsync(
                HttpMethod.Patch, created.Upload.Url.TrimStart('/'), project.Admin, Body(), ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"));
            Assert.Equal(HttpStatusCode.NoContent, taken.StatusCode);
        }
        finally
        {
            await library.ReportAsync(NodeMode.Open);
        }

        static ByteArrayContent Body()
        {
            var body = new ByteArrayContent([1, 2, 3]);
            body.Headers.ContentType = new("application/offset+octet-stream");
            return body;
        }
    }

    [Fact]
    public async Task A_limit_is_changed_while_the_library_runs_and_goes_back_to_what_is_configured()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        using var member = library.ClientOf(project.Member);
        var changed = await admin.ChangeLimitsAsync(new JsonObject { ["uploads-per-project"] = 1, ["transfers-per-source"] = "none" }, Stop);
        Assert.Equal((1L, 100L, true), (changed.Single(l => l.Name == "uploads-per-project") is var l ? (l.Value, l.Configured, l.Decided) : default));
        Assert.Null(changed.Single(x => x.Name == "transfers-per-source").Value);

        await member.CreateImageAsync(new ImageCreate { Name = "one", Upload = new UploadRequest { Length = 3 } }, Stop);
        var refused = await Assert.ThrowsAsync<LibraryClientException>(
            () => member.CreateImageAsync(new ImageCreate { Name = "two", Upload = new UploadRequest { Length = 3 } }, Stop));
        Assert.Equal("too-many-uploads", refused.Code);

        var back = await admin.ChangeLimitsAsync(new JsonObject { ["uploads-per-project"] = null, ["transfers-per-source"] = null }, Stop);
        Assert.All(back, limit => Assert.Equal((limit.Configured, false), (limit.Value, limit.Decided)));
        await member.CreateImageAsync(new ImageCreate { Name = "two", Upload = new UploadRequest { Length = 3 } }, Stop);
    }

    [Theory]
    [InlineData("""{"no-such-limit":1}""", "no-such-limit")]
    [InlineData("""{"transfers-per-node":0}""", "transfers-per-node")]
    [InlineData("""{"transfers-per-node":257}""", "transfers-per-node")]
    [InlineData("""{"transfers-per-node":"none"}""", "transfers-per-node")]
    [InlineData("""{"transfers-per-node":1.5}""", "transfers-per-node")]
    [InlineData("""{"transfers-per-node":"many"}""", "transfers-per-node")]
    [InlineData("""{"bytes-per-second":1}""", "bytes-per-second")]
    [InlineData("""{"uploads-per-project":[]}""", "uploads-per-project")]
    public async Task What_is_no_limit_is_refused_and_changes_nothing(string body, string field)
    {
        var project = await library.NewProjectAsync();
        using var response = await library.SendAsync(HttpMethod.Patch, "api/v1/limits", project.Admin, RestLibrary.Json(body));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(("invalid-field", field), (await RestLibrary.ProblemOf(response)) is var problem ? (problem.Code, problem.Field) : default);
    }

    [Theory]
    [InlineData("""{"mode":"asleep"}""", HttpStatusCode.BadRequest)]
    [InlineData("{}", HttpStatusCode.BadRequest)]
    [InlineData("""{"state":"drained"}""", HttpStatusCode.BadRequest)]
    public async Task A_node_has_no_other_modes(string body, HttpStatusCode expected)
    {
        var project = await library.NewProjectAsync();
        using var response = await library.SendAsync(HttpMethod.Patch, $"api/v1/nodes/{Here}", project.Admin, RestLibrary.Json(body));
        Assert.Equal(expected, response.StatusCode);
    }
}
