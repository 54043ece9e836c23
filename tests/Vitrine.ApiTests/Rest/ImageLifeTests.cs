using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;

namespace Vitrine.ApiTests.Rest;

public sealed class ImageLifeTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_shows_what_was_said_of_it_and_what_its_bytes_are()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var bytes = SampleImages.Qcow2();
        var image = await library.MakeImageAsync(client, bytes, new ImageCreate
        {
            Name = "Debian 12 (cloud)",
            Description = "A text",
            Architecture = "x86_64",
            Platform = "linux",
            Os = "debian12",
            Firmware = "uefi",
            MinDisk = 2,
            MinMemory = 512,
            Tags = ["b", "a"],
            Properties = new Dictionary<string, string> { ["team"] = "storage" },
        });

        Assert.Equal(("active", "qcow2", "bare", "system"), (image.Status, image.Format, image.Container, image.Kind));
        Assert.Equal((bytes.LongLength, SampleImages.VirtualSize), (image.Size, image.VirtualSize));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), image.Sha256);
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(bytes)), image.Md5);
        Assert.Equal(Convert.ToHexStringLower(SHA512.HashData(bytes)), image.Sha512);
        Assert.Equal(("private", project.Id.Value, "debian12", "uefi"), (image.Visibility, image.Owner, image.Os, image.EffectiveFirmware));
        Assert.Equal(["a", "b"], image.Tags);
        Assert.Equal("storage", image.Properties["team"]);
        Assert.Equal([("main", "ready")], image.Replicas.Select(r => (r.Store, r.State)));
        Assert.Null(image.Transfer);
        Assert.Empty(image.Warnings);
    }

    [Fact]
    public async Task What_is_allowed_but_odd_is_warned_of()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "odd", Os = "windows10", Platform = "linux" }, Stop);
        Assert.Contains("Windows 10", Assert.Single(created.Image.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_content_is_downloaded_whole_or_in_ranges()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var bytes = RandomNumberGenerator.GetBytes(100_000);
        var image = await library.MakeImageAsync(client, bytes);
        var path = $"api/v1/images/{image.Id}/file";

        using var whole = await library.SendAsync(HttpMethod.Get, path, project.Member);
        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
        Assert.Equal(bytes, await whole.Content.ReadAsByteArrayAsync(Stop));
        Assert.Equal($"\"{image.Sha256}\"", whole.Headers.ETag?.Tag);
        Assert.Equal($"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes))}:", whole.Headers.GetValues("Repr-Digest").Single());
        Assert.Equal($"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes))}:", whole.Headers.GetValues("Content-Digest").Single());

        using var part = await library.SendAsync(HttpMethod.Get, path, project.Member, null, ("Range", "bytes=99990-"), ("If-Range", $"\"{image.Sha256}\""));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[99_990..], await part.Content.ReadAsByteArrayAsync(Stop));
        Assert.Equal(new ContentRangeHeaderValue(99_990, 99_999, 100_000), part.Content.Headers.ContentRange);

        using var other = await library.SendAsync(HttpMethod.Get, path, project.Member, null, ("Range", "bytes=99990-"), ("If-Range", "\"another\""));
        Assert.Equal((HttpStatusCode.OK, 100_000L), (other.StatusCode, other.Content.Headers.ContentLength));

        using var beyond = await library.SendAsync(HttpMethod.Get, path, project.Member, null, ("Range", "bytes=100000-"));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        Assert.Equal(100_000, beyond.Content.Headers.ContentRange?.Length);

        using var same = await library.SendAsync(HttpMethod.Get, path, project.Member, null, ("If-None-Match", $"\"{image.Sha256}\""));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);

        using var head = await library.SendAsync(HttpMethod.Head, path, project.Member);
        Assert.Equal((HttpStatusCode.OK, 100_000L), (head.StatusCode, head.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task A_patch_changes_what_it_names_and_clears_what_it_makes_null()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var created = await client.CreateImageAsync(
            new ImageCreate
            {
                Name = "before",
                Description = "A text",
                Os = "debian12",
                Properties = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" },
            },
            Stop);

        var changed = await client.ChangeImageAsync(
            created.Image.Id,
            new ImageChange { Name = "after", Properties = new Dictionary<string, string?> { ["a"] = null, ["c"] = "3" }, MinDisk = 7, Cleared = ["os"] },
            Stop);

        Assert.Equal(("after", "A text", (string?)null, 7), (changed.Name, changed.Description, changed.Os, changed.MinDisk));
        Assert.Equal([("b", "2"), ("c", "3")], changed.Properties.Select(p => (p.Key, p.Value)));
        Assert.Equivalent(changed, await client.GetImageAsync(changed.Id, Stop));
    }

    [Fact]
    public async Task A_disabled_image_cannot_be_downloaded_until_it_is_enabled_again()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var image = await library.MakeImageAsync(client, SampleImages.RawWithMbr());
        Assert.False((await client.EnableImageAsync(image.Id, false, Stop)).Enabled);

        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => client.PullAsync(image, Stream.Null, null, Stop));
        Assert.Equal("image-disabled", refused.Code);

        Assert.True((await client.EnableImageAsync(image.Id, true, Stop)).Enabled);
        await client.PullAsync(image, Stream.Null, null, Stop);
    }

    [Fact]
    public async Task A_deleted_image_is_gone_and_its_bytes_too()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var before = await StoredAsync(client);
        var image = await library.MakeImageAsync(client, RandomNumberGenerator.GetBytes(5000));
        Assert.Equal(before + 5000, await StoredAsync(client));

        await client.DeleteImageAsync(image.Id, Stop);

        Assert.Equal(before, await StoredAsync(client));
        var gone = await Assert.ThrowsAsync<LibraryClientException>(() => client.GetImageAsync(image.Id, Stop));
        Assert.Equal((HttpStatusCode.NotFound, "image-not-found"), (gone.Status, gone.Code));

        static async Task<long> StoredAsync(LibraryClient client) =>
            (await client.ListStoresAsync(Stop)).Single(s => s.Name == "main").StoredBytes;
    }

    [Fact]
    public async Task A_protected_image_stays()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "kept", Protected = true }, Stop);
        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => client.DeleteImageAsync(created.Image.Id, Stop));
        Assert.Equal((HttpStatusCode.Conflict, "image-protected"), (refused.Status, refused.Code));

        await client.ChangeImageAsync(created.Image.Id, new ImageChange { Protected = false }, Stop);
        await client.DeleteImageAsync(created.Image.Id, Stop);
    }

    [Fact]
    public async Task An_image_is_shared_and_taken_back()
    {
        var (owner, friend) = (await library.NewProjectAsync(), await library.NewProjectAsync());
        using var owning = library.ClientOf(owner.Member);
        using var friendly = library.ClientOf(friend.Member);
        var image = (await owning.CreateImageAsync(new ImageCreate { Name = "shared", Visibility = "shared" }, Stop)).Image;
        var hidden = await Assert.ThrowsAsync<LibraryClientException>(() => friendly.GetImageAsync(image.Id, Stop));
        Assert.Equal(HttpStatusCode.NotFound, hidden.Status);

        Assert.Equal("pending", (await owning.ShareImageAsync(image.Id, friend.Id.Value, Stop)).Status);
        Assert.Equal("pending", (await owning.ShareImageAsync(image.Id, friend.Id.Value, Stop)).Status);
        Assert.Equal(image.Id, (await friendly.GetImageAsync(image.Id, Stop)).Id);
        Assert.Empty(await ListAsync(friendly, ("filter", "shared")));
        Assert.Equal([image.Id], await ListAsync(friendly, ("filter", "shared"), ("member", "pending")));

        Assert.Equal("accepted", (await friendly.AnswerAsync(image.Id, friend.Id.Value, "accepted", Stop)).Status);
        Assert.Equal([image.Id], await ListAsync(friendly, ("filter", "shared")));
        Assert.Equal(friend.Id.Value, Assert.Single(await owning.ListMembersAsync(image.Id, Stop)).Project);

        await owning.UnshareImageAsync(image.Id, friend.Id.Value, Stop);
        await Assert.ThrowsAsync<LibraryClientException>(() => friendly.GetImageAsync(image.Id, Stop));
    }

    [Fact]
    public async Task Lists_are_filtered_sorted_and_paged()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            var made = await client.CreateImageAsync(
                new ImageCreate { Name = $"image {i}", Tags = i % 2 == 0 ? ["even"] : [], Properties = new Dictionary<string, string> { ["n"] = $"{i}" } }, Stop);
            ids.Add(made.Image.Id);
        }

        Assert.Equal(ids, await ListAsync(client, ("filter", "self"), ("sort", "name:asc"), ("limit", "3")));
        Assert.Equal(ids.AsEnumerable().Reverse(), await ListAsync(client, ("filter", "self"), ("sort", "name:desc"), ("limit", "2")));
        Assert.Equal([ids[0], ids[2], ids[4], ids[6]], await ListAsync(client, ("owner", project.Id.Value), ("tag", "even"), ("sort", "name")));
        Assert.Equal([ids[5]], await ListAsync(client, ("property.n", "5"), ("filter", "self")));
        Assert.Equal([ids[3]], await ListAsync(client, ("name", "image 3"), ("filter", "self")));
        Assert.Equal([ids[3]], await ListAsync(client, ("search", "AGE 3"), ("filter", "self")));
        Assert.Empty(await ListAsync(client, ("status", "active"), ("filter", "self")));
        Assert.Empty(await ListAsync(client, ("enabled", "false"), ("filter", "self")));
        Assert.Equal(7, (await ListAsync(client, ("status", "queued,failed"), ("filter", "self"))).Count);
    }

    [Fact]
    public async Task A_page_goes_on_behind_an_image_that_was_deleted_meanwhile()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        for (var i = 0; i < 4; i++)
            await client.CreateImageAsync(new ImageCreate { Name = $"image {i}" }, Stop);

        var seen = new List<string?>();
        await foreach (var image in client.ListImagesAsync([new("filter", "self"), new("sort", "name:asc"), new("limit", "2")], Stop))
        {
            seen.Add(image.Name);
            await client.DeleteImageAsync(image.Id, Stop);
        }

        Assert.Equal(["image 0", "image 1", "image 2", "image 3"], seen);
    }

    private static async Task<IReadOnlyList<string>> ListAsync(LibraryClient client, params (string Name, string Value)[] filters) =>
        await client.ListImagesAsync([.. filters.Select(f => KeyValuePair.Create(f.Name, f.Value))], Stop).Select(i => i.Id).ToListAsync(Stop);
}
