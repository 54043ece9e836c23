using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of stores that replicate to others, and of images that every zone is to have.</summary>
public abstract class ReplicationCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    private readonly IReplicationCatalogue _replications = fixture.Replications;
    private int _images;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_stores_that_one_replicates_to_are_replaced_as_a_whole()
    {
        var (one, two, three) = (NewName("a"), NewName("b"), NewName("c"));
        await _replications.SaveTargetsAsync(one, [two, three, two], Stop);
        await _replications.SaveTargetsAsync(two, [one], Stop);
        Assert.Equal([new(one, two), new(one, three), new(two, one)], await RulesAsync());
        await _replications.SaveTargetsAsync(one, [three], Stop);
        Assert.Equal([new(one, three), new(two, one)], await RulesAsync());
        await _replications.SaveTargetsAsync(one, [], Stop);
        Assert.Equal([new(two, one)], await RulesAsync());

        async Task<IEnumerable<ReplicationRule>> RulesAsync() =>
            (await _replications.ListRulesAsync(Stop)).Where(r => r.Store == one || r.Store == two);
    }

    [Fact]
    public async Task What_a_store_has_is_missing_where_it_replicates_to()
    {
        var (from, to) = (NewName("from"), NewName("to"));
        await _replications.SaveTargetsAsync(from, [to, NewName("another")], Stop);
        await _replications.SaveTargetsAsync(NewName("another"), [to], Stop);
        var missing = await NewImageAsync((from, ReplicaState.Ready));
        var failed = await NewImageAsync((from, ReplicaState.Ready), (to, ReplicaState.Failed));
        var retired = await NewImageAsync((from, ReplicaState.Ready), (to, ReplicaState.Retired));
        var last = await NewImageAsync((from, ReplicaState.Ready));
        await NewImageAsync((from, ReplicaState.Ready), (to, ReplicaState.Receiving));
        await NewImageAsync((from, ReplicaState.Ready), (to, ReplicaState.Ready));
        await NewImageAsync((from, ReplicaState.Receiving));
        await NewImageAsync((from, ReplicaState.Retired));
        await NewImageAsync((NewName("other"), ReplicaState.Ready));
        await NewImageAsync(ImageStatus.Deleted, (from, ReplicaState.Ready));

        Assert.Equal([missing, last, failed, retired], await ListAsync(Noon, 10));
        Assert.Equal([missing, last, failed], await ListAsync(Noon, 3));
        Assert.Equal([missing, last], await ListAsync(Noon.AddMicroseconds(-1), 10));
        Assert.Empty(await _replications.ListMissingAsync(new ReplicationQuery(to, [to], Noon, 10), Stop));
        Assert.Empty(await _replications.ListMissingAsync(new ReplicationQuery(to, [], Noon, 10), Stop));

        Task<IReadOnlyList<ImageId>> ListAsync(DateTimeOffset triedBefore, int limit) =>
            _replications.ListMissingAsync(new ReplicationQuery(to, [from, to], triedBefore, limit), Stop);
    }

    [Fact]
    public async Task What_every_zone_is_to_have_is_missing_where_no_store_of_the_zone_has_it()
    {
        var (near, zone) = (NewName("near"), NewName("zone"));
        var (store, beside) = (NewName("store"), NewName("beside"));
        await AddStoreAsync(near, NewName("home"));
        await AddStoreAsync(store, zone);
        await AddStoreAsync(beside, zone);
        var missing = await NewImageAsync(isEverywhere: true, (near, ReplicaState.Ready));
        var failed = await NewImageAsync(isEverywhere: true, (near, ReplicaState.Ready), (store, ReplicaState.Failed));
        var failedBeside = await NewImageAsync(isEverywhere: true, (near, ReplicaState.Ready), (beside, ReplicaState.Failed));
        var there = await NewImageAsync(isEverywhere: true, (near, ReplicaState.Ready), (beside, ReplicaState.Ready));
        var coming = await NewImageAsync(isEverywhere: true, (near, ReplicaState.Ready), (beside, ReplicaState.Receiving));
        var unwanted = await NewImageAsync((near, ReplicaState.Ready));

        // Other tests leave images that every zone is to have, too.
        ImageId[] mine = [missing, failed, failedBeside, there, coming, unwanted];
        Assert.Equal([missing, failedBeside, failed], await ListAsync(store, Noon));
        Assert.Equal([missing, failedBeside], await ListAsync(store, Noon.AddMicroseconds(-1)));
        Assert.Empty(await ListAsync(near, Noon));

        async Task<IEnumerable<ImageId>> ListAsync(string to, DateTimeOffset triedBefore) =>
            (await _replications.ListMissingInZoneAsync(new ReplicationQuery(to, [near], triedBefore, int.MaxValue), Stop)).Where(mine.Contains);
    }

    private static string NewName(string of) => $"{of}-{Guid.NewGuid():N}";

    private Task AddStoreAsync(string store, string zone) =>
        fixture.Replicas.SaveStoreAsync(new Zone(zone, ""), new LibraryStore(store, zone, "directory", "", IsDefault: false), Stop);

    private Task<ImageId> NewImageAsync(params (string Store, ReplicaState State)[] replicas) => NewImageAsync(Samples.NewImage(), replicas);

    private Task<ImageId> NewImageAsync(bool isEverywhere, params (string Store, ReplicaState State)[] replicas) =>
        NewImageAsync(Samples.NewImage() with { AllZones = isEverywhere }, replicas);

    private Task<ImageId> NewImageAsync(ImageStatus status, params (string Store, ReplicaState State)[] replicas) =>
        NewImageAsync(Samples.NewImage() with { Status = status }, replicas);

    private async Task<ImageId> NewImageAsync(Image image, IReadOnlyList<(string Store, ReplicaState State)> replicas)
    {
        image = image with { Status = image.Status is ImageStatus.Deleted ? image.Status : ImageStatus.Active, CreatedAt = Noon.AddSeconds(_images++) };
        await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
        foreach (var (store, state) in replicas)
            await fixture.Catalogue.SaveAsync(new() { Replicas = [new Replica(image.Id, store, state, Digest: null, Size: null, Noon)] }, Stop);
        return image.Id;
    }
}

public sealed class SqliteReplicationCatalogueTests(SqliteFixture fixture) : ReplicationCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresReplicationCatalogueTests(PostgresFixture fixture) : ReplicationCatalogueContract(fixture), IClassFixture<PostgresFixture>;
