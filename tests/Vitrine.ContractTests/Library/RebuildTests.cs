using System.Security.Cryptography;
using System.Text;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Library;

/// <summary>A library whose catalogue was lost, and is made anew from what its store keeps.</summary>
public sealed class RebuildTests : IDisposable
{
    private static readonly Caller Admin = LibraryHome.Caller with { Roles = new HashSet<string> { RoleNames.Admin } };
    private static readonly ImageQuery All = new() { Sight = new ImageSight(Everything: true, Project: null, Admin.Domain), Limit = 100 };
    private readonly LibraryHome _home = new();

    private static Caller Caller => LibraryHome.Caller;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task The_list_of_images_is_the_same_as_before_and_so_is_their_content()
    {
        var contents = new Dictionary<ImageId, byte[]>();
        IReadOnlyList<Image> before;
        IReadOnlyList<ImageMember> members;
        ImageId shared;
        await using (var node = await _home.StartAsync())
        {
            foreach (var describe in Descriptions())
            {
                var content = RandomNumberGenerator.GetBytes(50_000);
                var image = await node.Library.CreateAsync(Admin, id: null, owner: null, describe, Stop);
                await node.ReceiveAsync(image.Id, content);
                contents[image.Id] = content;
            }

            shared = contents.Keys.First();
            await node.DescribeAsync();
            await node.Library.AddMemberAsync(shared, ProjectId.New(), Admin, Stop);
            var gone = await node.NewImageAsync();
            await node.ReceiveAsync(gone, [1, 2, 3]);
            await node.DescribeAsync();
            await node.Library.DeleteAsync(gone, Caller, Stop);
            await node.Library.UpdateAsync(contents.Keys.Last(), Admin, i => i with { Description = "changed last" }, Stop);
            await node.NewImageAsync(); // without content there is nothing to describe
            await node.DescribeAsync();
            (before, members) = (await ListAsync(node), await node.Images.ListMembersAsync(shared, Stop));
        }

        _home.LoseCatalogue();
        await using var next = await _home.StartAsync();
        await next.SweepAsync();
        var rebuilt = await RebuildAsync(next);

        Assert.Equal(new RebuildResult(contents.Count, 0, 0, 0), rebuilt);
        Assert.Equal(before.Where(i => i.Status is ImageStatus.Active).Select(Plain), (await ListAsync(next)).Select(Plain));
        Assert.Equal(members, await next.Images.ListMembersAsync(shared, Stop));
        foreach (var (image, content) in contents)
            Assert.Equal(content, await next.DownloadAsync(image));
        Assert.Equal(new RebuildResult(0, contents.Count, 0, 0), await RebuildAsync(next));
    }

    [Fact]
    public async Task A_rebuild_that_dies_anywhere_is_whole_when_it_is_begun_again()
    {
        var members = new Dictionary<ImageId, IReadOnlyList<ImageMember>>();
        await using (var node = await _home.StartAsync())
        {
            for (var i = 0; i < 3; i++)
            {
                var image = await NewImageAsync(node, x => x with { Visibility = Visibility.Shared });
                await node.Library.AddMemberAsync(image, ProjectId.New(), Caller, Stop);
                await node.Library.AddMemberAsync(image, ProjectId.New(), Caller, Stop);
                members[image] = await node.Images.ListMembersAsync(image, Stop);
            }

            await node.DescribeAsync();
        }

        _home.LoseCatalogue();
        var deaths = 0;
        for (; ; deaths++)
        {
            Assert.InRange(deaths, 0, 200);
            await using var mortal = await _home.StartAsync(life: new Life(deaths));
            if (await RebuildAsync(mortal) is not null)
                break;

            await using var next = await _home.StartAsync();
            foreach (var image in await ListAsync(next))
                Assert.Equal(members[image.Id], await next.Images.ListMembersAsync(image.Id, Stop));
        }

        Assert.InRange(deaths, 5, 200);
        await using var last = await _home.StartAsync();
        await RebuildAsync(last);
        Assert.Equal(members.Keys.Select(m => m.ToString()).Order(), (await ListAsync(last)).Select(i => i.Id.ToString()).Order());
        foreach (var (image, expected) in members)
            Assert.Equal(expected, await last.Images.ListMembersAsync(image, Stop));
    }

    [Fact]
    public async Task What_a_damaged_description_may_be_of_is_not_swept_before_it_is_gone()
    {
        ImageId sound, damaged;
        await using (var node = await _home.StartAsync())
        {
            (sound, damaged) = (await NewImageAsync(node), await NewImageAsync(node));
            await node.DescribeAsync();
        }

        _home.LoseCatalogue();
        var path = Directory.EnumerateFiles(_home.PathOf("store"), damaged.ToString(), SearchOption.AllDirectories).Single();
        var bytes = await File.ReadAllBytesAsync(path, Stop);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Stop);
        await using var next = await _home.StartAsync();
        Assert.Equal(0, (await next.SweepAsync()).Contents);
        Assert.Equal(new RebuildResult(1, 0, 0, 1), await RebuildAsync(next));
        Assert.Equal([sound], (await ListAsync(next)).Select(i => i.Id));
        Assert.Equal(0, (await next.SweepAsync()).Contents);

        File.Delete(path);
        Assert.Equal(1, (await next.SweepAsync()).Contents);
    }

    [Fact]
    public async Task What_the_catalogue_knows_stays_as_it_is()
    {
        await using var node = await _home.StartAsync();
        var (kept, deleted) = (await NewImageAsync(node), await NewImageAsync(node));
        await node.DescribeAsync();
        await node.Library.UpdateAsync(kept, Caller, i => i with { Name = "another" }, Stop);
        await node.Library.DeleteAsync(deleted, Caller, Stop);

        Assert.Equal(0, (await RebuildAsync(node))!.Restored);
        Assert.Equal("another", (await node.ImageAsync(kept)).Name);
        Assert.Equal(ImageStatus.Deleted, (await node.ImageAsync(deleted)).Status);
    }

    [Fact]
    public async Task What_is_damaged_or_has_lost_its_content_is_counted_and_left_out()
    {
        byte[] content = [1, 2, 3, 4];
        await using (var node = await _home.StartAsync())
        {
            var image = await node.NewImageAsync();
            await node.ReceiveAsync(image, content);
            await node.DescribeAsync();
            await node.Store.Descriptions!.SaveAsync(ImageId.New(), "{ broken"u8.ToArray(), Stop);
            await node.Store.Descriptions.SaveAsync(ImageId.New(), """{"format":2,"image":null,"members":[]}"""u8.ToArray(), Stop);
            await node.Store.DeleteAsync(Digest.Of(content), Stop);
        }

        _home.LoseCatalogue();
        await using var next = await _home.StartAsync();
        Assert.Equal(new RebuildResult(0, 0, 1, 2), await RebuildAsync(next));
        Assert.Empty(await ListAsync(next));
    }

    [Fact]
    public async Task A_description_goes_where_the_image_goes()
    {
        await using var node = await _home.StartAsync(others: ["second"]);
        var image = await NewImageAsync(node);
        await node.DescribeAsync();
        Assert.Equal((1, 0), (await CountAsync(node, LibraryHome.Main), await CountAsync(node, "second")));

        var copy = Assert.Single(await node.Copies.CopyAsync(image, new CopyRequest(new StoreChoice { All = true }), Caller, Stop));
        await node.RunAsync(copy.Id);
        await node.DescribeAsync();
        Assert.Equal((1, 1), (await CountAsync(node, LibraryHome.Main), await CountAsync(node, "second")));

        await node.Copies.DeleteAsync(image, LibraryHome.Main, Caller, Stop);
        await node.DescribeAsync();
        Assert.Equal((0, 1), (await CountAsync(node, LibraryHome.Main), await CountAsync(node, "second")));
        await node.Library.DeleteAsync(image, Caller, Stop);
        await node.DescribeAsync();
        Assert.Equal(0, await CountAsync(node, "second"));
        Assert.Empty(await node.Descriptions.ListUndescribedAsync(LibraryHome.Main, null, 10, Stop));
        Assert.Empty(await node.Descriptions.ListUndescribedAsync("second", null, 10, Stop));
    }

    [Fact]
    public async Task What_changes_while_it_is_described_is_described_again()
    {
        await using var node = await _home.StartAsync();
        var image = await NewImageAsync(node, i => i with { Visibility = Visibility.Shared });
        await node.Descriptions.BeginAsync(LibraryHome.Main, image, Stop);
        var read = await node.ImageAsync(image);
        await node.Library.AddMemberAsync(image, ProjectId.New(), Caller, Stop);
        await node.Descriptions.EndAsync(LibraryHome.Main, image, read.Version, Stop);
        Assert.Equal(image, Assert.Single(await node.Descriptions.ListUndescribedAsync(LibraryHome.Main, null, 10, Stop)));

        await node.DescribeAsync();
        Assert.Empty(await node.Descriptions.ListUndescribedAsync(LibraryHome.Main, null, 10, Stop));
        var document = await node.Store.Descriptions!.ListAsync(Stop).SingleAsync(Stop);
        Assert.Single(ImageDescription.TryRead(document.Span)!.Members);
    }

    [Fact]
    public void The_first_release_s_description_is_read_for_ever()
    {
        const string Document = """
            {"format":1,"image":{"id":"01a20040-0000-7000-8000-000000000001","owner":"project","domain":"default","name":"web","description":"","status":"active",
            "enabled":true,"kind":"system","diskFormat":"qcow2","containerFormat":"bare","hardware":{"architecture":"x86_64","firmware":"uefi","minDisk":3},
            "visibility":"shared","protected":true,"hidden":false,"tags":["a","b"],"properties":{"k":"v"},"size":7,"content":{"digest":"sha256:DIGEST","size":7,
            "md5":"m","sha512":"s","format":"qcow2","virtualSize":9,"container":"bare"},"createdAt":"2026-11-21T12:00:00+00:00","updatedAt":"2026-11-21T13:00:00+00:00"},
            "members":[{"image":"01a20040-0000-7000-8000-000000000001","project":"other","status":"accepted","createdAt":"2026-11-21T12:00:00+00:00",
            "updatedAt":"2026-11-21T12:00:00+00:00"}]}
            """;
        var digest = Digest.Of([1]);
        var read = ImageDescription.TryRead(Encoding.UTF8.GetBytes(Document.Replace("sha256:DIGEST", digest.ToString(), StringComparison.Ordinal)))!;
        Assert.Equal(("web", DiskFormat.Qcow2, Visibility.Shared, true), (read.Image.Name, read.Image.DiskFormat, read.Image.Visibility, read.Image.Protected));
        Assert.Equal((digest, 7, 9), (read.Image.Content!.Digest, read.Image.Content.Size, read.Image.Content.VirtualSize));
        Assert.Equal((CpuArchitecture.X86_64, 3), (read.Image.Hardware.Architecture, read.Image.Hardware.MinDisk));
        Assert.Equal(["a", "b"], read.Image.Tags);
        Assert.Equal(MemberStatus.Accepted, Assert.Single(read.Members).Status);
    }

    private static IEnumerable<Func<Image, Image>> Descriptions()
    {
        yield return i => i with { Name = "shared", Visibility = Visibility.Shared, Tags = ["one", "two"], Properties = i.Properties.Add("os_distro", "debian") };
        yield return i => i with { Name = "public", Visibility = Visibility.Public, Protected = true, Description = "Ünïcode \" and \n more" };
        yield return i => i with { Name = null, Hidden = true, DiskFormat = DiskFormat.Raw, ContainerFormat = ContainerFormat.Bare };
        yield return i => i with { Name = "hardware", Hardware = new HardwareProfile { Architecture = CpuArchitecture.X86_64, MinDisk = 5, MinMemory = 512 } };
    }

    private static Image Plain(Image image) =>
        image with { Version = 0, Transfer = null, Tags = [], Properties = image.Properties.Clear(), Name = $"{image.Name} {string.Join(',', image.Tags)} {string.Join(',', image.Properties)}" };

    private static async Task<IReadOnlyList<Image>> ListAsync(LibraryNode node) => await node.Library.ListAsync(All, Stop);

    private static async Task<ImageId> NewImageAsync(LibraryNode node, Func<Image, Image>? describe = null)
    {
        var image = await node.Library.CreateAsync(Caller, id: null, owner: null, i => (describe ?? (x => x))(i with { Name = "an image" }), Stop);
        await node.ReceiveAsync(image.Id, RandomNumberGenerator.GetBytes(1000));
        return image.Id;
    }

    private static ValueTask<int> CountAsync(LibraryNode node, string store) => node.Registry.Contents(store).Descriptions!.ListAsync(Stop).CountAsync(Stop);

    // Null where it failed.
    private static async Task<RebuildResult?> RebuildAsync(LibraryNode node)
    {
        var begun = await node.Operations.RequestAsync(LibraryHome.Main, new StoreTask(StoreOperationKind.Rebuild), Admin, Stop);
        await node.OperationRunner.RunAsync(begun.Id, Stop);
        return (await node.Operations.GetAsync(LibraryHome.Main, begun.Id, Admin, Stop)).Rebuilt;
    }
}
