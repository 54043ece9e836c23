using System.Collections.Immutable;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of operations of stores.</summary>
public abstract class StoreOperationCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    private readonly IStoreOperationCatalogue _operations = fixture.Operations;

    /// <summary>Tests share a database, so each has a store of its own.</summary>
    private readonly string _store = $"it's {Guid.NewGuid()}";

    [Fact]
    public async Task An_operation_is_read_back_as_it_was_written()
    {
        var queued = await _operations.SaveAsync(New(StoreOperationKind.Collect) with { User = UserId.New(), Rate = long.MaxValue }, Stop);
        await CheckAsync(queued);

        var running = await _operations.SaveAsync(queued.Take("run-1", "node-1", Noon.AddSeconds(1)).Advance(new UpkeepProgress(3, long.MaxValue)), Stop);
        await CheckAsync(running);

        await CheckAsync(await _operations.SaveAsync(running.Finish(new CollectionResult(1, 2, long.MaxValue), Noon.AddSeconds(2)), Stop));
    }

    [Fact]
    public async Task A_failure_is_read_back_as_it_was_written()
    {
        var failure = new StoreOperationFailure("store-unavailable", "It isn't there.", "Look for it.");
        var failed = (await _operations.SaveAsync(New(), Stop)).Take("run-1", "node-1", Noon).Fail(failure, Noon.AddDays(1));
        await CheckAsync(await _operations.SaveAsync(failed, Stop));
    }

    [Fact]
    public async Task What_a_check_found_is_read_back_as_it_was_written()
    {
        var fault = new CheckFault("commit", "It's found.", new StoreOperationFailure("store-full", "It's full.", "Make room."));
        var found = new CheckResult(true, [new CheckStep("stage", "It's hidden.", TimeSpan.FromMicroseconds(12345))], fault);
        var queued = await _operations.SaveAsync(New(StoreOperationKind.Check), Stop);
        await _operations.SaveAsync(queued.Finish(found, Noon), Stop);
        var read = (await _operations.FindAsync(queued.Id, Stop))!.Checked!;
        Assert.Equal((true, fault), (read.IsReadOnly, read.Fault));
        Assert.Equal(found.Steps, read.Steps);
    }

    [Fact]
    public async Task What_a_scrub_found_is_read_back_as_it_was_written()
    {
        var faults = new[] { new StoreFault("the pack 'x'", [Samples.NewDigest(), Samples.NewDigest()]), new StoreFault("the map", []) };
        var queued = await _operations.SaveAsync(New(), Stop);
        await _operations.SaveAsync(queued.Take("run-1", "node-1", Noon).Finish(new ScrubResult(77, faults), Noon), Stop);

        var scrubbed = (await _operations.FindAsync(queued.Id, Stop))!.Scrubbed!;
        Assert.Equal(77, scrubbed.Bytes);
        Assert.Equal(faults.Select(f => f.What), scrubbed.Faults.Select(f => f.What));
        Assert.Equal(faults.Select(f => f.Contents), scrubbed.Faults.Select(f => f.Contents));
    }

    [Fact]
    public async Task What_came_of_a_sync_and_of_a_clean_up_is_read_back_as_it_was_written()
    {
        ImmutableArray<ImageId> images = [ImageId.New(), ImageId.New()];
        var queued = await _operations.SaveAsync(New(StoreOperationKind.Sync) with { Sources = ["it's", "another"], Moves = true, Images = images }, Stop);
        await _operations.SaveAsync(queued.Finish(new SyncResult(1, long.MaxValue, 2), Noon), Stop);
        var synced = (await _operations.FindAsync(queued.Id, Stop))!;
        Assert.Equal(["it's", "another"], synced.Sources);
        Assert.Equal(images, synced.Images);
        Assert.Equal((true, new SyncResult(1, long.MaxValue, 2)), (synced.Moves, synced.Synced));

        var kept = new[] { new KeptReplica(ImageId.New(), "It isn't elsewhere.") };
        queued = await _operations.SaveAsync(New(StoreOperationKind.Cleanup), Stop);
        await _operations.SaveAsync(queued.Finish(new CleanupResult(3, long.MaxValue, kept), Noon), Stop);
        var cleaned = (await _operations.FindAsync(queued.Id, Stop))!.CleanedUp!;
        Assert.Equal((3, long.MaxValue), (cleaned.Removed, cleaned.Bytes));
        Assert.Equal(kept, cleaned.Kept);
    }

    [Fact]
    public async Task Work_on_replicas_goes_beside_upkeep_and_one_of_each_kind()
    {
        foreach (var kind in Enum.GetValues<StoreOperationKind>().Except([StoreOperationKind.Scrub]))
            await _operations.SaveAsync(New(kind), Stop);
        foreach (var kind in Enum.GetValues<StoreOperationKind>())
            await Assert.ThrowsAsync<StoreBusyException>(() => _operations.SaveAsync(New(kind), Stop));
    }

    [Fact]
    public async Task One_operation_of_a_store_at_a_time()
    {
        var first = await _operations.SaveAsync(New(), Stop);
        Assert.Equal(_store, (await Assert.ThrowsAsync<StoreBusyException>(() => _operations.SaveAsync(New(), Stop))).Store);
        await _operations.SaveAsync(New() with { Store = $"{_store} too" }, Stop);

        var taken = await _operations.SaveAsync(first.Take("run-1", "node-1", Noon), Stop);
        await Assert.ThrowsAsync<StoreBusyException>(() => _operations.SaveAsync(New(), Stop));
        await _operations.SaveAsync(taken.Finish(new ScrubResult(0, []), Noon), Stop);
        await _operations.SaveAsync(New(), Stop);
    }

    [Fact]
    public async Task Of_two_that_take_an_operation_one_gets_it()
    {
        var queued = await _operations.SaveAsync(New(), Stop);
        var takings = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Record.ExceptionAsync(
            () => _operations.SaveAsync(queued.Take($"run-{i}", "node", Noon), Stop)).AsTask()));
        Assert.Single(takings, t => t is null);
        Assert.Equal(3, takings.Count(t => t is ConcurrentChangeException));
    }

    [Fact]
    public async Task Operations_are_listed_the_newest_first_and_forgotten_when_they_are_over()
    {
        var ids = new List<StoreOperationId>();
        for (var i = 0; i < 3; i++)
        {
            var saved = await _operations.SaveAsync(New() with { CreatedAt = Noon.AddSeconds(i) }, Stop);
            ids.Insert(0, saved.Id);
            if (i < 2)
                await _operations.SaveAsync(saved.Take("run-1", "node-1", Noon).Finish(new ScrubResult(0, []), Noon), Stop);
        }

        Assert.Equal(ids, (await _operations.ListAsync(_store, Stop)).Select(o => o.Id));
        await _operations.RemoveAsync([ids[0], ids[2]], Stop);
        Assert.Equal([ids[0], ids[1]], (await _operations.ListAsync(_store, Stop)).Select(o => o.Id));
        await _operations.RemoveAsync([], Stop);
        Assert.Null(await _operations.FindAsync(ids[2], Stop));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("run-dead", true)]
    [InlineData("run-alive", false)]
    public async Task An_operation_that_nobody_living_works_on_is_an_orphan(string? node, bool expected)
    {
        var operation = await _operations.SaveAsync(New(), Stop);
        if (node is not null)
            operation = await _operations.SaveAsync(operation.Take(node, "node", Noon), Stop);

        Assert.Equal(expected, (await _operations.ListOrphansAsync(["run-alive", "run-other"], Stop)).Any(o => o.Id == operation.Id));
        Assert.Contains(await _operations.ListOrphansAsync([], Stop), o => o.Id == operation.Id);

        await _operations.SaveAsync(operation.Fail(new StoreOperationFailure("a", "b", "c"), Noon), Stop);
        Assert.DoesNotContain(await _operations.ListOrphansAsync([], Stop), o => o.Id == operation.Id);
    }

    private StoreOperation New(StoreOperationKind kind = StoreOperationKind.Scrub) =>
        new() { Id = StoreOperationId.New(), Store = _store, Kind = kind, CreatedAt = Noon };

    private async Task CheckAsync(StoreOperation expected)
    {
        Assert.Equal(expected, await _operations.FindAsync(expected.Id, Stop));
        Assert.Equal(expected, Assert.Single(await _operations.ListAsync(_store, Stop)));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteStoreOperationCatalogueTests(SqliteFixture fixture) : StoreOperationCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresStoreOperationCatalogueTests(PostgresFixture fixture) : StoreOperationCatalogueContract(fixture), IClassFixture<PostgresFixture>;
