using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of quotas.</summary>
public abstract class QuotaCatalogueContract(CatalogueFixture fixture)
{
    private const long MiB = 1 << 20;

    private readonly ProjectId _project = ProjectId.New();

    [Fact]
    public async Task A_quota_is_read_back_as_it_was_written_and_there_is_one_of_a_kind()
    {
        var quota = New(QuotaResource.Images, 7) with { Description = "it's" };
        await fixture.Quotas.AddAsync([quota], Stop);
        Assert.Equal(quota, await fixture.Quotas.FindAsync(quota.Id, Stop));
        await Assert.ThrowsAsync<QuotaExistsException>(
            () => fixture.Quotas.AddAsync([New(QuotaResource.Size, 1), New(QuotaResource.Images, 1)], Stop));
        Assert.Equal([quota], (await fixture.Quotas.ListAsync(Stop)).Where(q => q.Project == _project));

        var changed = quota with { Limit = Quota.Unlimited, Description = "" };
        Assert.True(await fixture.Quotas.UpdateAsync(changed, Stop));
        Assert.Equal(changed, await fixture.Quotas.FindAsync(quota.Id, Stop));
        Assert.True(await fixture.Quotas.DeleteAsync(quota.Id, Stop));
        Assert.False(await fixture.Quotas.DeleteAsync(quota.Id, Stop));
        Assert.False(await fixture.Quotas.UpdateAsync(changed, Stop));
    }

    [Fact]
    public async Task Of_two_hundred_images_at_once_as_many_are_made_as_may_be()
    {
        await fixture.Quotas.AddAsync([New(QuotaResource.Images, 10)], Stop);
        var failures = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(async () => await Record.ExceptionAsync(
            () => fixture.Catalogue.SaveAsync(new CatalogueChange { Image = NewImage(), Within = [QuotaResource.Images] }, Stop)), Stop)));

        Assert.Equal(10, failures.Count(f => f is null));
        Assert.All(failures.Where(f => f is not null), f => Assert.Equal((10, 10, 1), FactsOf(f)));
        Assert.Equal(10, (await MeasureAsync()).Images);
    }

    [Fact]
    public async Task Of_many_uploads_at_once_as_many_bytes_are_promised_as_there_may_be()
    {
        await fixture.Quotas.AddAsync([New(QuotaResource.Size, 5), New(QuotaResource.Uploading, 4)], Stop);
        var failures = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(async () => await Record.ExceptionAsync(
            () => UploadAsync(2 * MiB, QuotaResource.Size)), Stop)));

        Assert.Equal(2, failures.Count(f => f is null));
        Assert.Equal(4 * MiB, (await MeasureAsync()).Size);
        await UploadAsync(MiB, QuotaResource.Size, QuotaResource.Uploading);
        Assert.Equal((5, 5, 1), FactsOf(await Record.ExceptionAsync(() => UploadAsync(1, QuotaResource.Size))));

        // Nobody knows yet how much it will be.
        await UploadAsync(length: null, QuotaResource.Size, QuotaResource.Uploading);
        Assert.Equal((4, 4, 1), FactsOf(await Record.ExceptionAsync(() => UploadAsync(length: null, QuotaResource.Uploading))));
    }

    [Fact]
    public async Task A_change_that_does_not_ask_for_more_is_never_refused()
    {
        var image = NewImage();
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = image }, Stop);
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = NewImage() }, Stop);
        await fixture.Quotas.AddAsync([New(QuotaResource.Images, 1)], Stop);

        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = image with { Version = 1, Name = "x" }, Within = [QuotaResource.Images] }, Stop);
        await Assert.ThrowsAsync<QuotaExceededException>(
            () => fixture.Catalogue.SaveAsync(new CatalogueChange { Image = NewImage(), Within = [QuotaResource.Images] }, Stop));
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = NewImage() }, Stop);
    }

    [Fact]
    public async Task A_project_s_own_quota_holds_instead_of_every_project_s()
    {
        // Every project is every test's, too: of a resource that no other test here limits.
        var everybody = New(QuotaResource.Staged, 1) with { Project = null };
        await fixture.Quotas.AddAsync([everybody], Stop);
        try
        {
            await Assert.ThrowsAsync<QuotaExceededException>(() => StageAsync(2 * MiB));
            await fixture.Quotas.AddAsync([New(QuotaResource.Staged, 2)], Stop);
            await StageAsync(2 * MiB);
            Assert.Equal(2 * MiB, (await MeasureAsync()).Staged);
            Assert.Equal(0, (await MeasureAsync()).Size);
        }
        finally
        {
            await fixture.Quotas.DeleteAsync(everybody.Id, Stop);
        }
    }

    [Theory]
    [InlineData(QuotaResource.Images, 0, 1)]
    [InlineData(QuotaResource.Size, 2, 3)]
    public async Task An_image_that_is_given_away_is_held_against_its_new_owner(QuotaResource resource, long tooFew, long enough)
    {
        var giver = ProjectId.New();
        var image = NewImage() with { Owner = giver, Status = ImageStatus.Active, Size = 3 * MiB };
        var replica = new Replica(image.Id, "a", ReplicaState.Ready, Samples.NewDigest(), 3 * MiB, Samples.Noon);
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = image, Replicas = [replica] }, Stop);
        var given = new CatalogueChange { Image = image with { Version = 1, Owner = _project }, Within = Enum.GetValues<QuotaResource>() };

        var quota = New(resource, tooFew);
        await fixture.Quotas.AddAsync([quota], Stop);
        Assert.Equal((tooFew, 0, enough), FactsOf(await Record.ExceptionAsync(() => fixture.Catalogue.SaveAsync(given, Stop))));
        Assert.Equal(1, (await fixture.Quotas.MeasureAsync(giver, Stop)).Images);

        await fixture.Quotas.UpdateAsync(quota with { Limit = enough }, Stop);
        await fixture.Catalogue.SaveAsync(given, Stop);
        Assert.Equal(new QuotaUse(3 * MiB, 0, 1, 0), await MeasureAsync());
        Assert.Equal(default, await fixture.Quotas.MeasureAsync(giver, Stop));
    }

    [Fact]
    public async Task What_still_comes_to_an_image_that_was_given_away_is_held_against_its_new_owner()
    {
        var image = NewImage() with { Owner = ProjectId.New(), Status = ImageStatus.Saving };
        var transfer = Samples.NewTransfer(image.Id) with { Project = image.Owner, Kind = TransferKind.Stream };
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = image, Transfers = [transfer] }, Stop);
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = image with { Version = 1, Owner = _project } }, Stop);

        await fixture.Quotas.AddAsync([New(QuotaResource.Size, 2)], Stop);
        await AdvanceAsync(version: 1, moved: 2 * MiB);
        Assert.Equal((2, 2, 1), FactsOf(await Record.ExceptionAsync(() => AdvanceAsync(version: 2, moved: 2 * MiB + 1))));

        Task AdvanceAsync(long version, long moved) => fixture.Catalogue.SaveAsync(
            new CatalogueChange { Transfers = [transfer with { Version = version, Moved = moved }], Within = [QuotaResource.Size] }, Stop);
    }

    [Fact]
    public async Task Content_counts_in_every_store_that_has_it()
    {
        var image = NewImage() with { Status = ImageStatus.Active, Size = 3 * MiB };
        Replica InStore(string store, ReplicaState state) => new(image.Id, store, state, Samples.NewDigest(), 3 * MiB, Samples.Noon);
        await fixture.Catalogue.SaveAsync(
            new CatalogueChange
            {
                Image = image,
                Replicas = [InStore("a", ReplicaState.Ready), InStore("b", ReplicaState.Ready), InStore("c", ReplicaState.Retired), InStore("d", ReplicaState.Receiving)],
            },
            Stop);

        Assert.Equal(new QuotaUse(6 * MiB, 0, 1, 0), await MeasureAsync());
    }

    [Fact]
    public async Task A_copy_counts_as_an_upload_where_a_user_asked_for_it()
    {
        var image = NewImage() with { Status = ImageStatus.Active };
        var copy = Samples.NewTransfer(image.Id) with { Project = _project, Kind = TransferKind.Copy };
        var ofSync = copy with { Id = TransferId.New(), User = new UserId("operator"), Operation = StoreOperationId.New() };
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = image, Transfers = [copy, ofSync] }, Stop);
        Assert.Equal(0, (await MeasureAsync()).Uploading);

        var wanted = copy with { Id = TransferId.New(), User = new UserId("user") };
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Transfers = [wanted] }, Stop);
        Assert.Equal(1, (await MeasureAsync()).Uploading);
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Transfers = [wanted with { Version = 1, State = TransferState.Done }] }, Stop);
        Assert.Equal(0, (await MeasureAsync()).Uploading);
    }

    private Task UploadAsync(long? length, params QuotaResource[] within)
    {
        var image = NewImage() with { Status = ImageStatus.Saving };
        return fixture.Catalogue.SaveAsync(
            new CatalogueChange
            {
                Image = image,
                Transfers = [Samples.NewTransfer(image.Id) with { Project = _project, Kind = TransferKind.Upload, Length = length }],
                Within = within,
            },
            Stop);
    }

    private Task StageAsync(long length)
    {
        var image = NewImage() with { Status = ImageStatus.Staged };
        var transfer = Samples.NewTransfer(image.Id) with { Project = _project, Kind = TransferKind.Stream, Moved = length };
        return fixture.Catalogue.SaveAsync(new CatalogueChange { Image = image, Transfers = [transfer], Within = [QuotaResource.Staged] }, Stop);
    }

    private Task<QuotaUse> MeasureAsync() => fixture.Quotas.MeasureAsync(_project, Stop);

    private Image NewImage() => Samples.NewImage() with { Owner = _project };

    private Quota New(QuotaResource resource, long limit) => new(QuotaId.New(), _project, resource, limit, "");

    private static (long Limit, long Use, long More) FactsOf(Exception? failure)
    {
        var exceeded = Assert.IsType<QuotaExceededException>(failure);
        return (exceeded.Limit, exceeded.Use, exceeded.More);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteQuotaCatalogueTests(SqliteFixture fixture) : QuotaCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresQuotaCatalogueTests(PostgresFixture fixture) : QuotaCatalogueContract(fixture), IClassFixture<PostgresFixture>;
