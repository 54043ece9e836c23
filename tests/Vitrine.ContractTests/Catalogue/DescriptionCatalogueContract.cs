using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of what stores have described.</summary>
public abstract class DescriptionCatalogueContract(CatalogueFixture fixture) : IAsyncLifetime
{
    private readonly string _near = $"near-{Guid.NewGuid():N}";
    private readonly string _far = $"far-{Guid.NewGuid():N}";

    public async ValueTask InitializeAsync()
    {
        foreach (var store in new[] { _near, _far })
            await fixture.Replicas.SaveStoreAsync(new Zone(store, ""), new LibraryStore(store, store, "directory", "", IsDefault: false), Stop);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task What_was_changed_since_it_was_described_is_listed_until_it_is_described_again()
    {
        var image = await NewImageAsync(_near);
        Assert.True(await IsListedAsync(_near, image));
        await fixture.Descriptions.EndAsync(_near, image.Id, image.Version, Stop); // nobody has begun
        Assert.True(await IsListedAsync(_near, image));
        await DescribeAsync(_near, image);
        Assert.False(await IsListedAsync(_near, image));

        var member = new ImageMember(image.Id, ProjectId.New(), MemberStatus.Pending, Samples.Noon, Samples.Noon);
        foreach (var change in new Func<Task>[]
        {
            () => fixture.Images.AddMemberAsync(member, Stop),
            () => fixture.Images.SaveMemberAsync(member with { Status = MemberStatus.Accepted }, Stop),
            () => fixture.Images.DeleteMemberAsync(image.Id, member.Project, Stop),
        })
        {
            await fixture.Descriptions.BeginAsync(_near, image.Id, Stop);
            await change();
            await fixture.Descriptions.EndAsync(_near, image.Id, image.Version, Stop);
            Assert.True(await IsListedAsync(_near, image));
            await DescribeAsync(_near, image);
        }

        Assert.False(await fixture.Images.DeleteMemberAsync(image.Id, member.Project, Stop));
        Assert.False(await IsListedAsync(_near, image));
        await fixture.Catalogue.SaveAsync(new() { Image = image with { Name = "another" } }, Stop);
        await DescribeAsync(_near, image); // the version of before
        Assert.True(await IsListedAsync(_near, image));
    }

    [Fact]
    public async Task Each_store_is_asked_for_what_is_in_it_and_none_waits_for_another()
    {
        var image = await NewImageAsync(_near, _far);
        await DescribeAsync(_near, image);
        Assert.Equal((false, true), (await IsListedAsync(_near, image), await IsListedAsync(_far, image)));
        await DescribeAsync(_far, image);
        Assert.Equal((false, false), (await IsListedAsync(_near, image), await IsListedAsync(_far, image)));

        await fixture.Catalogue.SaveAsync(new() { Image = image with { Name = "another" } }, Stop);
        Assert.Equal((true, true), (await IsListedAsync(_near, image), await IsListedAsync(_far, image)));
    }

    [Fact]
    public async Task What_is_described_where_it_is_no_longer_is_listed_there_until_the_description_is_gone()
    {
        var image = await NewImageAsync(_near, _far);
        await DescribeAsync(_near, image);
        await DescribeAsync(_far, image);
        await fixture.Catalogue.SaveAsync(new() { Image = image, WithoutReplicasIn = [_far] }, Stop);
        image = image with { Version = image.Version + 1 };
        await DescribeAsync(_near, image);
        Assert.Equal((false, true), (await IsListedAsync(_near, image), await IsListedAsync(_far, image)));
        await ForgetAsync(_far, image);
        Assert.False(await IsListedAsync(_far, image));

        await fixture.Catalogue.SaveAsync(new() { Image = image with { Status = ImageStatus.Deleted }, WithoutReplicasOf = image.Id }, Stop);
        Assert.Equal((true, false), (await IsListedAsync(_near, image), await IsListedAsync(_far, image)));
        await ForgetAsync(_near, image);
        Assert.False(await IsListedAsync(_near, image));
    }

    private async Task<Image> NewImageAsync(params string[] stores)
    {
        var image = Samples.NewImage() with { Status = ImageStatus.Active };
        await fixture.Catalogue.SaveAsync(
            new()
            {
                Image = image,
                Replicas = [.. stores.Select(s => new Replica(image.Id, s, ReplicaState.Ready, Samples.NewDigest(), 1, Samples.Noon))],
            },
            Stop);
        return image with { Version = 1 };
    }

    private async Task DescribeAsync(string store, Image image)
    {
        await fixture.Descriptions.BeginAsync(store, image.Id, Stop);
        await fixture.Descriptions.EndAsync(store, image.Id, image.Version, Stop);
    }

    private async Task ForgetAsync(string store, Image image)
    {
        await fixture.Descriptions.BeginAsync(store, image.Id, Stop);
        await fixture.Descriptions.EndAsync(store, image.Id, version: null, Stop);
    }

    private async Task<bool> IsListedAsync(string store, Image image) =>
        (await fixture.Descriptions.ListUndescribedAsync(store, null, int.MaxValue, Stop)).Contains(image.Id);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteDescriptionCatalogueTests(SqliteFixture fixture) : DescriptionCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresDescriptionCatalogueTests(PostgresFixture fixture) : DescriptionCatalogueContract(fixture), IClassFixture<PostgresFixture>;
