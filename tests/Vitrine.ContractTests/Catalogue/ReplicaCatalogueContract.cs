using Vitrine.Catalogue.Stores;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of replicas, and of claims and removals that cross.</summary>
public abstract class ReplicaCatalogueContract(CatalogueFixture fixture)
{
    private const string Main = "main";
    private static readonly DateTimeOffset Noon = Samples.Noon;

    private readonly IReplicaCatalogue _replicas = fixture.Replicas;

    [Fact]
    public async Task A_replica_is_read_back_as_it_was_written_and_replaced_by_the_next_in_its_store()
    {
        var image = await NewImageAsync();
        var receiving = new Replica(image, Main, ReplicaState.Receiving, null, null, Noon);
        var ready = new Replica(image, Main, ReplicaState.Ready, Samples.NewDigest(), long.MaxValue, Noon.AddDays(1));
        var elsewhere = ready with { Store = "a-copy" };

        await SaveAsync(receiving);
        Assert.Equal([receiving], await _replicas.ListAsync([image], Stop));

        await SaveAsync(elsewhere);
        await SaveAsync(ready);
        Assert.Equal([elsewhere, ready], await _replicas.ListAsync([image, ImageId.New()], Stop));
        Assert.Empty(await _replicas.ListAsync([], Stop));
    }

    [Fact]
    public async Task The_images_that_have_a_content_are_listed_by_their_names()
    {
        var store = $"store-{Guid.NewGuid()}";
        var (one, other) = (Samples.NewDigest(), Samples.NewDigest());
        var images = new[] { Samples.NewImage() with { Name = "b" }, Samples.NewImage() with { Name = "a" }, Samples.NewImage() };
        foreach (var (image, digest) in images.Zip([one, one, other]))
        {
            await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
            await SaveAsync(new Replica(image.Id, store, ReplicaState.Ready, digest, 1, Noon));
        }

        await SaveAsync(new Replica(await NewImageAsync(), store, ReplicaState.Receiving, null, null, Noon));
        await SaveAsync(new Replica(await NewImageAsync(), Main, ReplicaState.Ready, one, 1, Noon));
        Assert.Equal(
            [
                new ContentHolder(other, images[2].Id, null, images[2].Owner),
                new ContentHolder(one, images[1].Id, "a", images[1].Owner),
                new ContentHolder(one, images[0].Id, "b", images[0].Owner),
            ],
            await _replicas.ListHoldersAsync(store, Stop));
    }

    [Fact]
    public async Task All_replicas_of_an_image_go_with_it()
    {
        var image = Samples.NewImage();
        await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
        await SaveAsync(new Replica(image.Id, Main, ReplicaState.Ready, Samples.NewDigest(), 1, Noon));
        await SaveAsync(new Replica(image.Id, "second", ReplicaState.Ready, Samples.NewDigest(), 1, Noon));

        await fixture.Catalogue.SaveAsync(
            new() { Image = (image with { Version = 1 }).Delete(Noon), WithoutReplicasOf = image.Id }, Stop);
        Assert.Empty(await _replicas.ListAsync([image.Id], Stop));
    }

    [Fact]
    public async Task Content_that_nobody_wants_can_be_removed_and_claimed_again_after_that()
    {
        var digest = Samples.NewDigest();
        var transfer = await NewTransferAsync();
        Assert.True(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
        Assert.False(await ClaimAsync(digest, transfer));
        Assert.True(await _replicas.TryClaimAsync("second", digest, transfer.Id, Stop));

        await _replicas.EndRemovalAsync(Main, digest, Stop);
        Assert.True(await ClaimAsync(digest, transfer));
    }

    [Fact]
    public async Task Content_is_removed_by_one_caller_at_a_time()
    {
        var digest = Samples.NewDigest();
        Assert.True(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
        Assert.False(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));

        await _replicas.EndRemovalAsync(Main, digest, Stop);
        Assert.True(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
    }

    [Fact]
    public async Task A_removal_that_was_never_ended_is_taken_for_dead_after_a_while()
    {
        var clock = new ManualClock(Noon);
        var replicas = new ReplicaCatalogue(fixture.Database, clock);
        var (again, claimed) = (Samples.NewDigest(), Samples.NewDigest());
        var transfer = await NewTransferAsync();
        Assert.True(await replicas.TryBeginRemovalAsync(Main, again, Stop));
        Assert.True(await replicas.TryBeginRemovalAsync(Main, claimed, Stop));

        clock.Advance(IReplicaCatalogue.RemovalPatience - TimeSpan.FromMilliseconds(1));
        Assert.False(await replicas.TryBeginRemovalAsync(Main, again, Stop));
        Assert.False(await replicas.TryClaimAsync(Main, claimed, transfer.Id, Stop));

        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await replicas.TryBeginRemovalAsync(Main, again, Stop));
        Assert.True(await replicas.TryClaimAsync(Main, claimed, transfer.Id, Stop));

        // The dead one comes back to life, and takes nothing from the one who claimed meanwhile.
        await replicas.EndRemovalAsync(Main, claimed, Stop);
        Assert.False(await replicas.TryBeginRemovalAsync(Main, claimed, Stop));
    }

    [Fact]
    public async Task Content_to_which_a_replica_refers_stays()
    {
        var digest = Samples.NewDigest();
        var image = await NewImageAsync();
        await SaveAsync(new Replica(image, Main, ReplicaState.Ready, digest, 1, Noon));
        Assert.False(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
        Assert.True(await _replicas.TryBeginRemovalAsync("second", digest, Stop));

        await fixture.Catalogue.SaveAsync(new() { WithoutReplicasOf = image }, Stop);
        Assert.True(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
    }

    [Theory]
    [InlineData(TransferState.Done)]
    [InlineData(TransferState.Failed)]
    [InlineData(TransferState.Cancelled)]
    public async Task A_claim_lasts_as_long_as_its_transfer_is_not_over(TransferState end)
    {
        var digest = Samples.NewDigest();
        var (ends, lives) = (await NewTransferAsync(), await NewTransferAsync());
        Assert.True(await ClaimAsync(digest, ends));
        Assert.True(await ClaimAsync(digest, ends));
        Assert.True(await ClaimAsync(digest, lives));

        await SaveAsync(ends with { State = end });
        Assert.False(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));

        await SaveAsync(lives with { State = end });
        Assert.True(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
    }

    [Fact]
    public async Task A_claim_of_a_transfer_that_is_over_already_keeps_nothing()
    {
        var digest = Samples.NewDigest();
        var transfer = await NewTransferAsync();
        await SaveAsync(transfer with { State = TransferState.Done });
        await ClaimAsync(digest, transfer);
        Assert.True(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
    }

    [Fact]
    public async Task To_end_a_removal_that_was_not_begun_takes_no_claim_away()
    {
        var digest = Samples.NewDigest();
        Assert.True(await ClaimAsync(digest, await NewTransferAsync()));
        await _replicas.EndRemovalAsync(Main, digest, Stop);
        Assert.False(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
    }

    [Fact]
    public async Task Of_a_claim_and_a_removal_that_cross_exactly_one_has_its_way()
    {
        var over = await NewTransferAsync();
        await SaveAsync(over with { State = TransferState.Done });
        for (var round = 0; round < 100; round++)
        {
            // Every other content has been heard of before.
            var digest = Samples.NewDigest();
            if (round % 2 == 0)
                await ClaimAsync(digest, over);

            var transfers = new[] { await NewTransferAsync(), await NewTransferAsync() };
            var removal = Task.Run(() => _replicas.TryBeginRemovalAsync(Main, digest, Stop), Stop);
            var claims = await Task.WhenAll(transfers.Select(t => Task.Run(() => ClaimAsync(digest, t), Stop)));

            // Either a claim came first, and then nothing forbids the other; or the removal did, and forbids both.
            var removed = await removal;
            Assert.All(claims, claimed => Assert.NotEqual(removed, claimed));
        }
    }

    [Fact]
    public async Task Content_is_kept_all_the_way_from_the_claim_to_the_replica()
    {
        for (var round = 0; round < 60; round++)
        {
            var digest = Samples.NewDigest();
            var transfer = await NewTransferAsync();
            Assert.True(await ClaimAsync(digest, transfer));

            var replica = new Replica(transfer.Image, Main, ReplicaState.Ready, digest, 1, Noon);
            var finish = Task.Run(() => fixture.Catalogue.SaveAsync(new() { Transfers = [transfer.Finish(Noon)], Replicas = [replica] }, Stop), Stop);
            do
                Assert.False(await _replicas.TryBeginRemovalAsync(Main, digest, Stop));
            while (!finish.IsCompleted);
            await finish;
        }
    }

    [Fact]
    public async Task A_store_is_measured_by_its_replicas_and_by_their_distinct_contents()
    {
        const string Store = "measured";
        Assert.Equal(new StoreUse(0, 0, 0, 0), await _replicas.MeasureAsync(Store, Stop));

        var (one, two) = (Samples.NewDigest(), Samples.NewDigest());
        await SaveAsync(new Replica(await NewImageAsync(), Store, ReplicaState.Ready, one, 1L << 40, Noon));
        await SaveAsync(new Replica(await NewImageAsync(), Store, ReplicaState.Ready, one, 1L << 40, Noon));
        await SaveAsync(new Replica(await NewImageAsync(), Store, ReplicaState.Ready, two, 5, Noon));
        await SaveAsync(new Replica(await NewImageAsync(), Store, ReplicaState.Receiving, null, null, Noon));
        await SaveAsync(new Replica(await NewImageAsync(), "other", ReplicaState.Ready, two, 5, Noon));

        Assert.Equal(new StoreUse(4, 2, (2L << 40) + 5, (1L << 40) + 5), await _replicas.MeasureAsync(Store, Stop));
    }

    [Fact]
    public async Task Zones_and_stores_are_as_they_were_configured_last()
    {
        var store = new LibraryStore("b-store", "zone-1", "directory", "It's big", IsDefault: false);
        await _replicas.SaveStoreAsync(new Zone("zone-1", "first"), store, Stop);
        await _replicas.SaveStoreAsync(new Zone("zone-0", ""), store with { Name = "a-store", Zone = "zone-0", IsDefault = true }, Stop);
        await _replicas.SaveModeAsync("b-store", StoreMode.Draining, Stop); // which outlives what nodes say of the store
        await _replicas.SaveStoreAsync(new Zone("zone-1", "renamed"), store with { Description = "smaller" }, Stop);

        Assert.Equal([new Zone("zone-0", ""), new Zone("zone-1", "renamed")], await _replicas.ListZonesAsync(Stop));
        Assert.Equal(
            [store with { Name = "a-store", Zone = "zone-0", IsDefault = true }, store with { Description = "smaller", Mode = StoreMode.Draining }],
            await _replicas.ListStoresAsync(Stop));
    }

    private Task<bool> ClaimAsync(Digest digest, Transfer transfer) => _replicas.TryClaimAsync(Main, digest, transfer.Id, Stop);

    [Fact]
    public async Task What_one_store_has_and_another_has_not_is_listed_and_so_is_what_was_given_up()
    {
        var (from, to) = ($"from-{Guid.NewGuid()}", $"to-{Guid.NewGuid()}");
        var digest = Samples.NewDigest();
        var images = new List<ImageId>();
        for (var i = 0; i < 7; i++)
            images.Add(await NewImageAsync());
        await SaveAsync(new Replica(images[0], from, ReplicaState.Ready, digest, 1, Noon));
        await SaveAsync(new Replica(images[1], from, ReplicaState.Ready, digest, 1, Noon));
        await SaveAsync(new Replica(images[1], to, ReplicaState.Ready, digest, 1, Noon));
        await SaveAsync(new Replica(images[2], from, ReplicaState.Ready, digest, 1, Noon));
        await SaveAsync(new Replica(images[2], to, ReplicaState.Receiving, null, null, Noon));
        await SaveAsync(new Replica(images[3], from, ReplicaState.Ready, digest, 1, Noon));
        await SaveAsync(new Replica(images[3], to, ReplicaState.Failed, null, null, Noon));
        await SaveAsync(new Replica(images[4], from, ReplicaState.Ready, digest, 1, Noon));
        await SaveAsync(new Replica(images[4], to, ReplicaState.Retired, digest, 1, Noon));
        await SaveAsync(new Replica(images[5], from, ReplicaState.Receiving, null, null, Noon));
        await SaveAsync(new Replica(images[6], from, ReplicaState.Retired, digest, 1, Noon));

        Assert.Equal(
            new[] { images[0], images[3], images[4] }.OrderBy(i => i.Value),
            (await _replicas.ListMissingAsync([from, "nowhere"], to, Stop)).OrderBy(i => i.Value));
        Assert.Equal(images[6], Assert.Single(await _replicas.ListRetiredAsync(from, Stop)).Image);
        Assert.Equal(images[4], Assert.Single(await _replicas.ListRetiredAsync(to, Stop)).Image);
        Assert.Equal(3, (await _replicas.MeasureAsync(to, Stop)).Replicas);
    }

    [Fact]
    public async Task An_image_is_taken_out_of_the_stores_that_are_named_if_nobody_has_changed_it()
    {
        var image = Samples.NewImage();
        await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
        foreach (var store in new[] { Main, "second", "third" })
            await SaveAsync(new Replica(image.Id, store, ReplicaState.Ready, Samples.NewDigest(), 1, Noon));

        await Assert.ThrowsAsync<ConcurrentChangeException>(
            () => fixture.Catalogue.SaveAsync(new() { Image = image with { Version = 7 }, WithoutReplicasIn = [Main] }, Stop));
        await fixture.Catalogue.SaveAsync(new() { Image = image with { Version = 1 }, WithoutReplicasIn = [Main, "third"] }, Stop);
        Assert.Equal("second", Assert.Single(await _replicas.ListAsync([image.Id], Stop)).Store);
    }

    private async Task<ImageId> NewImageAsync()
    {
        var image = Samples.NewImage();
        await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
        return image.Id;
    }

    private async Task<Transfer> NewTransferAsync()
    {
        var transfer = Samples.NewTransfer(await NewImageAsync());
        await SaveAsync(transfer);
        return transfer with { Version = 1 };
    }

    private Task SaveAsync(Transfer transfer) => fixture.Catalogue.SaveAsync(new() { Transfers = [transfer] }, Stop);

    private Task SaveAsync(Replica replica) => fixture.Catalogue.SaveAsync(new() { Replicas = [replica] }, Stop);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteReplicaCatalogueTests(SqliteFixture fixture) : ReplicaCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresReplicaCatalogueTests(PostgresFixture fixture) : ReplicaCatalogueContract(fixture), IClassFixture<PostgresFixture>;
