using System.Net;
using System.Security.Cryptography;
using Vitrine.Cli;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>Stores as administrators see them, by the REST face and the command line.</summary>
public sealed class StoreTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private const int Part = 400 * 1024;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_report_adds_up_and_says_who_has_what()
    {
        var (one, two) = (await library.NewProjectAsync(), await library.NewProjectAsync());
        var (first, second) = await MakeTwinsAsync(one, two);
        using var admin = library.ClientOf(one.Admin);
        var report = await admin.GetStoreReportAsync(RestLibrary.SharingStore, Stop);

        Assert.Equal((RestLibrary.SharingStore, "chunked"), (report.Store, report.Kind));
        Assert.Equal(report.Stored, report.Unique + report.Shared + report.Metadata + report.Staged + report.Collectable + report.Unreadable);
        Assert.Equal(report.Logical, report.Contents.Sum(c => c.Logical * c.Images.Count));
        Assert.Equal(Math.Round((double)report.Logical / report.Stored, 2), report.Ratio);
        foreach (var (image, project) in new[] { (first, one), (second, two) })
        {
            var use = Assert.Single(report.Contents, c => c.Sha256 == image.Sha256);
            Assert.Equal(2 * Part, use.Logical);
            Assert.InRange(use.Unique, Part, Part + Part / 10);
            Assert.InRange(use.Shared, Part, Part + Part / 10);
            Assert.Equal([new ContentImageRecord(image.Id, image.Name, project.Id.Value, 1)], use.Images);
            Assert.Contains(new ProjectUseRecord(project.Id.Value, 1, use.Logical, use.Unique, use.Shared), report.Projects);
        }
    }

    [Fact]
    public async Task Content_of_two_projects_is_unique_to_neither()
    {
        var (one, two) = (await library.NewProjectAsync(), await library.NewProjectAsync());
        var bytes = RandomNumberGenerator.GetBytes(100_000);
        await MakeAsync(one, bytes);
        await MakeAsync(two, bytes);
        using var admin = library.ClientOf(one.Admin);
        var report = await admin.GetStoreReportAsync(RestLibrary.SharingStore, Stop);

        Assert.Equal(2, Assert.Single(report.Contents, c => c.Sha256 == Sum(bytes)).Images.Count);
        foreach (var project in new[] { one, two })
        {
            var use = Assert.Single(report.Projects, p => p.Project == project.Id.Value);
            Assert.Equal((1, 100_000, 0), (use.Images, use.Logical, use.Unique));
            Assert.InRange(use.Shared, 100_000, 110_000);
        }
    }

    [Fact]
    public async Task A_store_that_shares_nothing_reports_whole_contents_and_refuses_collections()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var image = await library.MakeImageAsync(admin, RandomNumberGenerator.GetBytes(5000));
        var report = await admin.GetStoreReportAsync("main", Stop);
        var use = Assert.Single(report.Contents, c => c.Sha256 == image.Sha256);
        Assert.Equal((5000, 5000, 0), (use.Logical, use.Unique, use.Shared));
        Assert.Equal(report.Stored, report.Unique + report.Staged);

        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => StartAsync(admin, "main", "collect"));
        Assert.Equal((HttpStatusCode.Conflict, "upkeep-not-supported"), (refused.Status, refused.Code));
    }

    [Fact]
    public async Task What_a_deleted_image_had_alone_is_freed_by_two_collections()
    {
        var project = await library.NewProjectAsync();
        var (first, second) = await MakeTwinsAsync(project, project);
        using var admin = library.ClientOf(project.Admin);
        var before = await admin.GetStoreReportAsync(RestLibrary.SharingStore, Stop);
        await admin.DeleteImageAsync(first.Id, Stop);

        var condemned = await RunAsync(admin, "collect");
        Assert.True(condemned.Collected!.Condemned >= Part);
        Assert.True((await RunAsync(admin, "collect")).Collected!.Freed >= Part);
        var after = await admin.GetStoreReportAsync(RestLibrary.SharingStore, Stop);
        Assert.InRange(before.Stored - after.Stored, Part, Part + Part / 10);
        Assert.DoesNotContain(after.Contents, c => c.Sha256 == first.Sha256);
        Assert.Empty((await RunAsync(admin, "scrub")).Scrubbed!.Faults);

        using var pulled = new MemoryStream();
        await admin.PullAsync(second, pulled, null, Stop);
        Assert.Equal(second.Sha256, Sum(pulled.ToArray()));
    }

    [Fact]
    public async Task An_operation_is_answered_with_its_address_and_listed_the_newest_first()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        using var response = await library.SendAsync(
            HttpMethod.Post, $"api/v1/stores/{RestLibrary.SharingStore}/operations", project.Admin, RestLibrary.Json("""{"kind":"scrub","rate":1073741824}"""));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var id = response.Headers.Location!.OriginalString.Split('/')[^1];
        var last = await admin.WatchStoreOperationAsync(RestLibrary.SharingStore, id, Stop).LastAsync(Stop);
        Assert.Equal(("done", "scrub", "node-1", 1_073_741_824), (last.State, last.Kind, last.Node, last.Rate));
        Assert.NotNull(last.User);
        Assert.NotNull(last.EndedAt);

        var next = await RunAsync(admin, "collect");
        Assert.Equal([next.Id, id], (await admin.ListStoreOperationsAsync(RestLibrary.SharingStore, Stop)).Take(2).Select(o => o.Id));
    }

    [Theory]
    [InlineData("POST", "sharing/operations", "{}", 400, "kind")]
    [InlineData("POST", "sharing/operations", """{"kind":"burn"}""", 400, "kind")]
    [InlineData("POST", "sharing/operations", """{"kind":"1"}""", 400, "kind")]
    [InlineData("POST", "sharing/operations", """{"kind":"scrub","rate":0}""", 400, "rate")]
    [InlineData("POST", "sharing/operations", """{"kind":"scrub","rate":-1}""", 400, "rate")]
    [InlineData("POST", "sharing/operations", """{"kind":"collect","rate":1000000}""", 400, "rate")]
    [InlineData("POST", "sharing/operations", """{"kind":"scrub","speed":1}""", 400, "speed")]
    [InlineData("POST", "nowhere/operations", """{"kind":"scrub"}""", 404, "store")]
    [InlineData("GET", "nowhere", null, 404, "store")]
    [InlineData("GET", "nowhere/report", null, 404, "store")]
    [InlineData("GET", "nowhere/operations", null, 404, "store")]
    [InlineData("GET", "sharing/operations/nothing", null, 404, null)]
    [InlineData("GET", "sharing/operations/00000000-0000-0000-0000-000000000000", null, 404, null)]
    public async Task What_is_asked_wrong_is_refused_with_a_reason(string method, string path, string? body, int status, string? field)
    {
        var project = await library.SharedProjectAsync();
        using var response = await library.SendAsync(
            new HttpMethod(method), $"api/v1/stores/{path}", project.Admin, body is null ? null : RestLibrary.Json(body));
        var problem = await RestLibrary.ProblemOf(response);
        Assert.Equal((status, field), (problem.Status, problem.Field));
    }

    [Fact]
    public async Task The_command_line_shows_the_saving_and_what_was_done()
    {
        var project = await library.NewProjectAsync();
        var (first, _) = await MakeTwinsAsync(project, project);

        var report = await library.CommandAsync(project.Admin, "store", "report", RestLibrary.SharingStore);
        Assert.Equal(0, report.Code);
        Assert.Matches($@"^Store {RestLibrary.SharingStore} \(chunked\): .* of images in .*, \d+\.\d\d to 1", report.Out);
        Assert.Matches($@"{first.Name}\s+{project.Id}\s+800 KiB\s+4\d\d KiB\s+4\d\d KiB", report.Out);
        var byProject = await library.CommandAsync(project.Admin, "store", "report", RestLibrary.SharingStore, "--by", "project");
        Assert.Matches($@"{project.Id}\s+2\s+1\.6 MiB", byProject.Out);
        Assert.Equal(3, (await library.CommandAsync(project.Admin, "store", "report", "--json")).Out.Trim().Split('\n').Length);

        var collect = await library.CommandAsync(project.Admin, "store", "collect", RestLibrary.SharingStore);
        Assert.Equal(0, collect.Code);
        Assert.Contains("freed", collect.Out, StringComparison.Ordinal);
        var scrub = await library.CommandAsync(project.Admin, "store", "scrub", RestLibrary.SharingStore, "--rate", "1G");
        Assert.Equal(0, scrub.Code);
        Assert.Contains("0 faults", scrub.Out, StringComparison.Ordinal);
        var shown = await library.CommandAsync(project.Admin, "store", "show", RestLibrary.SharingStore);
        Assert.Contains("collect", shown.Out, StringComparison.Ordinal);
        Assert.Contains("scrub", shown.Out, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.NotFound, (await library.CommandAsync(project.Admin, "store", "show", "nowhere")).Code);
        Assert.Equal(ExitCodes.Denied, (await library.CommandAsync(project.Member, "store", "collect", RestLibrary.SharingStore)).Code);
        Assert.Equal(ExitCodes.Failure, (await library.CommandAsync(project.Admin, "store", "collect", "main")).Code);
        Assert.Equal(ExitCodes.Usage, (await library.CommandAsync(project.Admin, "store", "scrub", RestLibrary.SharingStore, "--rate", "fast")).Code);
        const string Line = "vitrine store show sha";
        Assert.Equal(RestLibrary.SharingStore, (await library.CommandAsync(project.Member, $"[suggest:{Line.Length}]", Line)).Out.Trim());
    }

    [Fact]
    public async Task A_check_says_how_each_step_went()
    {
        const string Store = "main";
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var begun = await StartAsync(admin, Store, "check");
        var last = await admin.WatchStoreOperationAsync(Store, begun.Id, Stop).LastAsync(Stop);
        Assert.Equal(("done", false, null), (last.State, last.Checked!.ReadOnly, last.Checked.Fault));
        Assert.Equal(last.Total, last.Checked.Steps.Count);
        Assert.All(last.Checked.Steps, s => Assert.True(s is { Kept: true, Milliseconds: >= 0 }));

        var said = await library.CommandAsync(project.Admin, "store", "check", Store);
        Assert.Equal(0, said.Code);
        Assert.Matches(@"commit-again +yes +[0-9.]+ ms +Committing what is there changes nothing", said.Out);
        Assert.Contains($"Store {Store}: 11 steps, all well", said.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Denied, (await library.CommandAsync(project.Member, "store", "check", Store)).Code);
        Assert.Equal(ExitCodes.NotFound, (await library.CommandAsync(project.Admin, "store", "check", "nowhere")).Code);
    }

    [Fact]
    public async Task A_check_of_a_store_that_lost_its_directory_ends_with_1_and_says_what_to_do()
    {
        var project = await library.NewProjectAsync();
        var (there, away) = (Path.Combine(library.Root, "other"), Path.Combine(library.Root, "unmounted"));
        Directory.Move(there, away);
        var said = await library.CommandAsync(project.Admin, "store", "check", "other", "--json");
        Directory.Move(away, there);
        Assert.Equal(ExitCodes.Failure, said.Code);
        Assert.Contains("\"store-unavailable\"", said.Out, StringComparison.Ordinal);
        Assert.Contains("its mount", said.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other", """{"syncAddress":"http://127.0.0.2:7480"}""", 400, "syncAddress")]
    [InlineData("other", """{"syncAddress":"ftp://127.0.0.2"}""", 400, "syncAddress")]
    [InlineData("other", """{"syncAddress":"http://me:secret@127.0.0.2"}""", 400, "syncAddress")]
    [InlineData("other", """{"syncAddress":"http://127.0.0.2/bucket"}""", 400, "syncAddress")]
    [InlineData("other", """{"syncAddress":"nowhere"}""", 400, "syncAddress")]
    [InlineData("other", """{"mode":"ajar"}""", 400, "mode")]
    [InlineData("other", """{}""", 400, "mode")]
    [InlineData("nowhere", """{"syncAddress":"http://127.0.0.2:7480"}""", 404, "store")]
    public async Task A_change_that_cannot_be_is_refused_with_a_reason(string store, string body, int status, string? field)
    {
        var project = await library.SharedProjectAsync();
        using var response = await library.SendAsync(HttpMethod.Patch, $"api/v1/stores/{store}", project.Admin, RestLibrary.Json(body));
        var problem = await RestLibrary.ProblemOf(response);
        Assert.Equal((status, field), (problem.Status, problem.Field));
        using var denied = await library.SendAsync(HttpMethod.Patch, $"api/v1/stores/{store}", project.Member, RestLibrary.Json(body));
        Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
    }

    [Fact]
    public async Task A_store_is_changed_in_something_and_a_store_of_files_has_no_address_to_lose()
    {
        var project = await library.SharedProjectAsync();
        Assert.Equal(ExitCodes.Usage, (await library.CommandAsync(project.Admin, "store", "set", "other")).Code);
        Assert.Equal(0, (await library.CommandAsync(project.Admin, "store", "set", "other", "--sync-address", "none", "--mode", "open")).Code);
        Assert.Equal(ExitCodes.Failure, (await library.CommandAsync(project.Admin, "store", "set", "other", "--sync-address", "http://127.0.0.2:1")).Code);
    }

    private static string Sum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static Task<StoreOperationRecord> StartAsync(LibraryClient client, string store, string kind) =>
        client.StartStoreOperationAsync(store, new StoreOperationRequest { Kind = kind }, Stop);

    private static async Task<StoreOperationRecord> RunAsync(LibraryClient client, string kind)
    {
        var begun = await StartAsync(client, RestLibrary.SharingStore, kind);
        var last = await client.WatchStoreOperationAsync(RestLibrary.SharingStore, begun.Id, Stop).LastAsync(Stop);
        Assert.Equal("done", last.State);
        return last;
    }

    /// <summary>Two images that share their first half.</summary>
    private async Task<(ImageRecord First, ImageRecord Second)> MakeTwinsAsync(TestProject one, TestProject two)
    {
        var common = RandomNumberGenerator.GetBytes(Part);
        return (await MakeAsync(one, [.. common, .. RandomNumberGenerator.GetBytes(Part)]), await MakeAsync(two, [.. common, .. RandomNumberGenerator.GetBytes(Part)]));
    }

    private async Task<ImageRecord> MakeAsync(TestProject project, byte[] bytes)
    {
        using var client = library.ClientOf(project.Member);
        return await library.MakeImageAsync(client, bytes, store: RestLibrary.SharingStore);
    }
}
