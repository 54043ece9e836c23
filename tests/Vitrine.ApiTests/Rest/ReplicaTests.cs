using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Cli;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>Images in several stores, by the REST face.</summary>
public sealed class ReplicaTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_moves_to_a_store_that_shares_and_is_cleaned_up_behind()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        var image = await library.MakeImageAsync(admin, bytes);

        var moving = Assert.Single(await admin.CopyImageAsync(image.Id, new CopyRequest { Stores = [RestLibrary.SharingStore], Move = true }, Stop));
        Assert.Equal(("copy", RestLibrary.SharingStore), (moving.Kind, moving.Store));
        var moved = await admin.WatchTransferAsync(moving.Id, Stop).LastAsync(Stop);
        Assert.Equal(("done", "main", 300_000), (moved.State, moved.SourceStore, moved.Moved));
        Assert.Equal(
            [("main", "retired"), (RestLibrary.SharingStore, "ready")],
            (await admin.GetImageAsync(image.Id, Stop)).Replicas.Select(r => (r.Store, r.State)));

        var left = Assert.Single(await admin.ListRetiredReplicasAsync("main", Stop));
        Assert.Equal((image.Id, image.Name, 300_000), (left.Image, left.Name, left.Size));
        var before = await admin.GetStoreAsync("main", Stop);
        Assert.Equal((1, 300_000), (before.RetiredImages, before.RetiredBytes));
        var begun = await admin.StartStoreOperationAsync("main", new StoreOperationRequest { Kind = "cleanup", Confirm = true }, Stop);
        var done = await admin.WatchStoreOperationAsync("main", begun.Id, Stop).LastAsync(Stop);
        Assert.Equal(("done", 1, 300_000, 0), (done.State, done.CleanedUp!.Removed, done.CleanedUp.Bytes, done.CleanedUp.Kept.Count));
        Assert.Empty(await admin.ListRetiredReplicasAsync("main", Stop));

        using var pulled = new MemoryStream();
        await admin.PullAsync(await admin.GetImageAsync(image.Id, Stop), pulled, null, Stop);
        Assert.Equal(bytes, pulled.ToArray());
    }

    [Fact]
    public async Task An_upload_may_name_several_stores_a_zone_or_all()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        UploadRequest[] ways = [new() { Stores = ["other", "main"] }, new() { Zone = "zone-1" }, new() { AllStores = true }];
        string[][] expected = [["main", "other"], ["main"], ["main", "other", RestLibrary.SharingStore]];
        foreach (var (way, stores) in ways.Zip(expected))
        {
            var created = await client.CreateImageAsync(
                new ImageCreate { Name = "an image", Upload = way with { Length = 3 } }, Stop);
            var path = Path.Combine(library.Root, $"{created.Image.Id}.img");
            await File.WriteAllBytesAsync(path, [1, 2, 3], Stop);
            await client.PushAsync(created.Upload!.Transfer, path, null, Stop);
            await library.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
            Assert.Equal(stores, (await client.GetImageAsync(created.Image.Id, Stop)).Replicas.Where(r => r.State == "ready").Select(r => r.Store));
        }
    }

    [Fact]
    public async Task A_sync_is_watched_to_its_end_and_a_store_closed_and_opened()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var image = await library.MakeImageAsync(admin, RandomNumberGenerator.GetBytes(5000), store: "other");

        var begun = await admin.StartStoreOperationAsync(
            RestLibrary.SharingStore, new StoreOperationRequest { Kind = "sync", Sources = ["other"] }, Stop);
        Assert.Equal(["other"], begun.Sources);
        var done = await admin.WatchStoreOperationAsync(RestLibrary.SharingStore, begun.Id, Stop).LastAsync(Stop);
        Assert.Equal(("done", 0), (done.State, done.Synced!.Failed));
        Assert.Contains((await admin.GetImageAsync(image.Id, Stop)).Replicas, r => r is { Store: RestLibrary.SharingStore, State: "ready" });

        Assert.Equal("readonly", (await admin.ChangeStoreAsync("other", new StoreChange { Mode = "readonly" }, Stop)).Mode);
        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => library.MakeImageAsync(admin, [1], store: "other"));
        Assert.Equal((HttpStatusCode.Conflict, "store-closed"), (refused.Status, refused.Code));
        Assert.Equal("open", (await admin.ChangeStoreAsync("other", new StoreChange { Mode = "open" }, Stop)).Mode);
        await library.MakeImageAsync(admin, [1], store: "other");
    }

    [Fact]
    public async Task A_store_is_copied_and_migrated_by_the_command_line_whole_or_some_images_of_it()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var one = await library.MakeImageAsync(admin, RandomNumberGenerator.GetBytes(5000), store: "other");
        var two = await library.MakeImageAsync(admin, RandomNumberGenerator.GetBytes(5000), store: "other");

        var copied = await library.CommandAsync(project.Admin, "store", "copy", "other", "main", "--image", one.Name!);
        Assert.Equal(0, copied.Code);
        Assert.Contains("Store main: 1 images copied", copied.Out, StringComparison.Ordinal);
        Assert.Equal([("main", "ready"), ("other", "ready")], await ReplicasAsync(one));
        Assert.Equal([("other", "ready")], await ReplicasAsync(two));

        var migrated = await library.CommandAsync(project.Admin, "store", "migrate", "other", "main", "--image", two.Id, "--json");
        Assert.Equal(0, migrated.Code);
        Assert.Contains($"\"images\":[\"{two.Id}\"]", migrated.Out, StringComparison.Ordinal);
        Assert.Equal([("main", "ready"), ("other", "retired")], await ReplicasAsync(two));
        Assert.Equal(0, (await library.CommandAsync(project.Admin, "store", "copy", "other", RestLibrary.SharingStore)).Code);
        Assert.Contains((RestLibrary.SharingStore, "ready"), await ReplicasAsync(one));

        Assert.Equal(ExitCodes.NotFound, (await library.CommandAsync(project.Admin, "store", "copy", "other", "main", "--image", two.Id)).Code);
        Assert.Equal(ExitCodes.NotFound, (await library.CommandAsync(project.Admin, "store", "copy", "other", "nowhere")).Code);
        Assert.Equal(ExitCodes.Denied, (await library.CommandAsync(project.Member, "store", "migrate", "other", "main")).Code);
        Assert.Equal(ExitCodes.Usage, (await library.CommandAsync(project.Admin, "store", "migrate", "other")).Code);
        using var wrong = await library.SendAsync(
            HttpMethod.Post, "api/v1/stores/main/operations", project.Admin, RestLibrary.Json("""{"kind":"sync","sources":["other"],"images":["no id"]}"""));
        Assert.Equal("images", (await RestLibrary.ProblemOf(wrong)).Field);

        async Task<IEnumerable<(string, string)>> ReplicasAsync(ImageRecord image) =>
            (await admin.GetImageAsync(image.Id, Stop)).Replicas.Select(r => (r.Store, r.State));
    }

    [Fact]
    public async Task A_store_is_told_to_replicate_and_an_image_to_be_in_all_zones()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var first = await admin.ChangeStoreAsync("other", new StoreChange { ReplicatesTo = [RestLibrary.SharingStore] }, Stop);
        Assert.Equal([RestLibrary.SharingStore], first.ReplicatesTo);
        var image = await library.MakeImageAsync(admin, RandomNumberGenerator.GetBytes(5000), new ImageCreate { Name = "everywhere", AllZones = true }, store: "other");
        Assert.True(image.AllZones);
        await library.Services.GetRequiredService<Vitrine.Stores.Replication>().RunAsync(RestLibrary.SharingStore, Stop);
        await library.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
        Assert.Equal([("other", "ready"), (RestLibrary.SharingStore, "ready")], (await admin.GetImageAsync(image.Id, Stop)).Replicas.Select(r => (r.Store, r.State)));

        var wanted = await Assert.ThrowsAsync<LibraryClientException>(() => admin.DeleteReplicaAsync(image.Id, RestLibrary.SharingStore, Stop));
        Assert.Equal((HttpStatusCode.Conflict, "replica-wanted"), (wanted.Status, wanted.Code));

        foreach (var (body, field) in new[] { ("""{"replicatesTo":["other"]}""", "replicatesTo"), ("""{"replicatesTo":[null]}""", "replicatesTo"), ("{}", "mode") })
        {
            using var wrong = await library.SendAsync(HttpMethod.Patch, "api/v1/stores/other", project.Admin, RestLibrary.Json(body));
            Assert.Equal(field, (await RestLibrary.ProblemOf(wrong)).Field);
        }

        using var both = await library.SendAsync(
            HttpMethod.Patch, "api/v1/stores/other", project.Admin, RestLibrary.Json("""{"replicatesTo":["nowhere"],"mode":"readonly"}"""));
        Assert.Equal(HttpStatusCode.NotFound, both.StatusCode);
        Assert.Equal("open", (await admin.GetStoreAsync("other", Stop)).Mode);

        Assert.Matches($"replicates to +{RestLibrary.SharingStore}", (await library.CommandAsync(project.Admin, "store", "show", "other")).Out);
        var ended = await library.CommandAsync(project.Admin, "store", "set", "other", "--replicate-to", "none");
        Assert.Equal(0, ended.Code);
        Assert.DoesNotContain("replicates to", ended.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Denied, (await library.CommandAsync(project.Member, "store", "set", "other", "--replicate-to", "main")).Code);
        Assert.Equal(ExitCodes.Ok, (await library.CommandAsync(project.Member, "image", "set", image.Id, "--all-zones", "false")).Code);
        Assert.False((await admin.GetImageAsync(image.Id, Stop)).AllZones);
        await admin.DeleteReplicaAsync(image.Id, RestLibrary.SharingStore, Stop);
    }

    [Fact]
    public async Task What_a_scrub_finds_damaged_comes_back_from_another_store()
    {
        await library.StopAsync();
        await library.StartAsync(); // so that nothing is in memory that is on the disk
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        var image = await library.MakeImageAsync(admin, bytes, store: RestLibrary.SharingStore);
        var alone = await library.MakeImageAsync(admin, RandomNumberGenerator.GetBytes(300_000), store: RestLibrary.SharingStore);
        var copy = Assert.Single(await admin.CopyImageAsync(image.Id, new CopyRequest { Stores = ["other"] }, Stop));
        await admin.WatchTransferAsync(copy.Id, Stop).LastAsync(Stop);
        foreach (var pack in Directory.EnumerateFiles(Path.Combine(library.Root, RestLibrary.SharingStore, "packs"), "*", SearchOption.AllDirectories))
            Damage(pack);

        var begun = await admin.StartStoreOperationAsync(RestLibrary.SharingStore, new StoreOperationRequest { Kind = "scrub" }, Stop);
        var scrubbed = await admin.WatchStoreOperationAsync(RestLibrary.SharingStore, begun.Id, Stop).LastAsync(Stop);
        await library.Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();

        Assert.NotEmpty(scrubbed.Scrubbed!.Faults);
        Assert.All(library.Log.Take(), line => Assert.Contains("is damaged", line, StringComparison.Ordinal));
        Assert.True(scrubbed.Scrubbed.Repairing >= 1); // other tests have left images that two stores have
        Assert.Equal([("other", "ready"), (RestLibrary.SharingStore, "ready")], (await admin.GetImageAsync(image.Id, Stop)).Replicas.Select(r => (r.Store, r.State)));
        Assert.Equal([(RestLibrary.SharingStore, "ready")], (await admin.GetImageAsync(alone.Id, Stop)).Replicas.Select(r => (r.Store, r.State)));
        await admin.DeleteReplicaAsync(image.Id, "other", Stop);
        using var pulled = new MemoryStream();
        await admin.PullAsync(await admin.GetImageAsync(image.Id, Stop), pulled, null, Stop);
        Assert.Equal(bytes, pulled.ToArray());
    }

    private static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        for (var at = 1000; at < bytes.Length; at += 50_000)
            bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    [Theory]
    [InlineData("POST", "images/{image}/copies", "{}", 400, "stores")]
    [InlineData("POST", "images/{image}/copies", """{"stores":["nowhere"]}""", 400, "store")]
    [InlineData("POST", "images/{image}/copies", """{"zone":"nowhere"}""", 400, "zone")]
    [InlineData("POST", "images/{image}/copies", """{"stores":["other"],"allStores":true}""", 400, "stores")]
    [InlineData("POST", "images/{image}/copies", """{"stores":["main"]}""", 409, null)]
    [InlineData("POST", "images/{image}/copies", """{"stores":["other"],"from":"nowhere"}""", 404, null)]
    [InlineData("POST", "images/{image}/copies", """{"stores":["other","sharing"],"move":true}""", 400, "stores")]
    [InlineData("POST", "images/{image}/copies", """{"store":"other"}""", 400, "store")]
    [InlineData("DELETE", "images/{image}/replicas/nowhere", null, 404, null)]
    [InlineData("DELETE", "images/{image}/replicas/main", null, 409, null)]
    [InlineData("PATCH", "stores/main", """{"mode":"shut"}""", 400, "mode")]
    [InlineData("PATCH", "stores/main", "{}", 400, "mode")]
    [InlineData("PATCH", "stores/nowhere", """{"mode":"open"}""", 404, "store")]
    [InlineData("GET", "stores/nowhere/retired", null, 404, "store")]
    [InlineData("POST", "stores/main/operations", """{"kind":"cleanup"}""", 400, "confirm")]
    [InlineData("POST", "stores/main/operations", """{"kind":"sync"}""", 400, "sources")]
    [InlineData("POST", "stores/main/operations", """{"kind":"sync","sources":["main"]}""", 400, "sources")]
    public async Task What_is_asked_wrong_is_refused_with_a_reason(string method, string path, string? body, int status, string? field)
    {
        var project = await library.SharedProjectAsync();
        using var client = library.ClientOf(project.Admin);
        var image = path.Contains("{image}", StringComparison.Ordinal) ? (await library.MakeImageAsync(client, [1, 2, 3])).Id : "";
        using var response = await library.SendAsync(
            new HttpMethod(method), $"api/v1/{path.Replace("{image}", image, StringComparison.Ordinal)}", project.Admin,
            body is null ? null : RestLibrary.Json(body));
        var problem = await RestLibrary.ProblemOf(response);
        Assert.Equal((status, field), (problem.Status, problem.Field));
    }
}
