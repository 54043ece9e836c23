using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.ContractTests.Catalogue;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Library;

/// <summary>Operations of a store, run by nodes that come and go.</summary>
public sealed class StoreOperationTests(SqliteFixture fixture) : IClassFixture<SqliteFixture>, IDisposable
{
    private const string Main = "main";
    private static readonly Caller Admin = new(UserId.New(), ProjectId.New(), "default", new HashSet<string> { RoleNames.Admin });

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("vitrine-operations-");
    private readonly LibraryOptions _options = new();
    private readonly ManualClock _clock = new();

    /// <summary>Never moves, so that a scrub with a rate never ends.</summary>
    private readonly ManualClock _halted = new();

    private readonly List<StoreOperationId> _scheduled = [];

    [Fact]
    public async Task An_operation_whose_node_stops_is_ended_by_the_next()
    {
        await using var store = await NewStoreAsync(_halted);
        var id = (await Desk(store).RequestAsync(Main, new StoreTask(StoreOperationKind.Scrub, StoreOperations.LeastRate), Admin, Stop)).Id;
        using (var stopping = new CancellationTokenSource())
        {
            var first = NewRunner(store, "run-1").RunAsync(id, stopping.Token);
            await WhenAsync(id, o => o.State is StoreOperationState.Running);
            await stopping.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        }

        Assert.Equal((StoreOperationState.Queued, null), (await FindAsync(id) is var queued ? (queued.State, queued.Node) : default));
        await using var again = Open(TimeProvider.System);
        await NewRunner(again, "run-2").RunAsync(id, Stop);
        var done = await FindAsync(id);
        Assert.Equal((StoreOperationState.Done, "run-2"), (done.State, done.Node));
        Assert.True(done.Scrubbed!.Bytes > 200_000);
        Assert.Empty(done.Scrubbed.Faults);
        Assert.Equal(done.Progress.Total, done.Progress.Done);
    }

    [Fact]
    public async Task An_operation_of_a_living_node_is_left_to_it_and_that_of_a_dead_one_taken()
    {
        await using var store = await NewStoreAsync(TimeProvider.System);
        var queued = await Desk(store).RequestAsync(Main, new StoreTask(StoreOperationKind.Scrub), Admin, Stop);
        await fixture.Operations.SaveAsync(queued.Take("run-other", "other", queued.CreatedAt), Stop);
        var now = TimeProvider.System.Now();
        var other = new Node("other", "run-other", "zone", [NodeRole.Transfer], "", "1", now, now);
        await fixture.Nodes.SaveAsync(other, Stop);

        await NewRunner(store, "run-1").RunAsync(queued.Id, Stop);
        Assert.Equal(StoreOperationState.Running, (await FindAsync(queued.Id)).State);

        await fixture.Nodes.SaveAsync(other with { Heartbeat = now - Node.Patience }, Stop);
        await NewRunner(store, "run-1").RunAsync(queued.Id, Stop);
        Assert.Equal(StoreOperationState.Done, (await FindAsync(queued.Id)).State);
    }

    [Fact]
    public async Task An_operation_whose_store_somebody_still_collects_waits_in_the_queue()
    {
        await using var store = await NewStoreAsync(TimeProvider.System);
        var id = (await Desk(store).RequestAsync(Main, new StoreTask(StoreOperationKind.Collect), Admin, Stop)).Id;
        await using (await store.OpenWriterAsync(new StagingKey("collection"), Stop))
            await NewRunner(store, "run-1").RunAsync(id, Stop);

        Assert.Equal(StoreOperationState.Queued, (await FindAsync(id)).State);
        await NewRunner(store, "run-1").RunAsync(id, Stop);
        Assert.Equal(StoreOperationState.Done, (await FindAsync(id)).State);
    }

    [Fact]
    public async Task A_store_that_is_not_there_fails_its_operation_with_a_reason()
    {
        await using var store = Open(TimeProvider.System);
        _root.Delete(recursive: true);
        var id = (await Desk(store).RequestAsync(Main, new StoreTask(StoreOperationKind.Collect), Admin, Stop)).Id;
        await NewRunner(store, "run-1").RunAsync(id, Stop);
        _root.Create();

        var failed = await FindAsync(id);
        Assert.Equal((StoreOperationState.Failed, "store-unavailable"), (failed.State, failed.Failure!.Code));
        Assert.DoesNotContain(_root.FullName, failed.Failure.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collection_is_due_after_its_interval_and_a_scrub_where_the_operator_wants_one()
    {
        await using var store = await NewStoreAsync(TimeProvider.System);
        var (desk, runner) = (Desk(store), NewRunner(store, "run-1"));
        await RunDueAsync(1);
        await RunDueAsync(1);

        _clock.Advance(_options.CollectionInterval);
        await RunDueAsync(2);
        _options.ScrubInterval = TimeSpan.FromDays(30);
        await RunDueAsync(3);
        await RunDueAsync(3);
        Assert.Equal(StoreOperationKind.Scrub, (await FindAsync(_scheduled[^1])).Kind);

        _clock.Advance(_options.CollectionInterval);
        await RunDueAsync(4);

        // Collections that found nothing make room for the next, but for one that is looked at by the next turn.
        await RunDueAsync(4);
        Assert.Equal(2, (await fixture.Operations.ListAsync(Main, Stop)).Count);

        async Task RunDueAsync(int scheduled)
        {
            await desk.RequestDueAsync(Main, Stop);
            Assert.Equal(scheduled, _scheduled.Count);
            await runner.RunAsync(_scheduled[^1], Stop);
        }
    }

    [Fact]
    public void Operations_are_forgotten_when_they_are_old_or_too_many_but_for_the_last_of_each_kind()
    {
        var now = _clock.GetUtcNow();
        var scrub = Over(StoreOperationKind.Scrub, now - 2 * StoreOperations.Lifetime);
        List<StoreOperation> operations =
        [
            .. Enumerable.Range(0, StoreOperations.MostKept).Select(i => Over(StoreOperationKind.Collect, now.AddMinutes(-i))),
            Over(StoreOperationKind.Collect, now.AddDays(-1)),
            scrub,
        ];
        Assert.Equal([operations[^2].Id], StoreOperations.Superfluous(operations, now).Select(o => o.Id));
        Assert.Equal(operations[1..^1].Select(o => o.Id), StoreOperations.Superfluous(operations, now + StoreOperations.Lifetime).Select(o => o.Id));

        StoreOperation Over(StoreOperationKind kind, DateTimeOffset at) =>
            new() { Id = StoreOperationId.New(), Store = Main, Kind = kind, User = UserId.New(), CreatedAt = at, State = StoreOperationState.Done };
    }

    [Fact]
    public async Task Who_is_no_administrator_may_do_nothing_to_a_store()
    {
        await using var store = Open(TimeProvider.System);
        var member = Admin with { Roles = new HashSet<string> { RoleNames.Member } };
        await Assert.ThrowsAsync<ForbiddenException>(() => Desk(store).RequestAsync(Main, new StoreTask(StoreOperationKind.Collect), member, Stop));
        await Assert.ThrowsAsync<ForbiddenException>(() => Desk(store).ListAsync(Main, member, Stop));
    }

    public void Dispose()
    {
        _root.Delete(recursive: true);

        // Tests share the database.
        foreach (var operation in fixture.Operations.ListAsync(Main, CancellationToken.None).GetAwaiter().GetResult())
            fixture.Operations.RemoveAsync([operation.Id], CancellationToken.None).GetAwaiter().GetResult();
    }

    private ChunkedStore Open(TimeProvider time) => ChunkedStore.InDirectory(Main, _root.FullName, new ChunkedStoreOptions(), time);

    private async Task<ChunkedStore> NewStoreAsync(TimeProvider time)
    {
        var store = Open(time);
        var content = RandomNumberGenerator.GetBytes(300_000);
        await using var writer = await store.OpenWriterAsync(new StagingKey("content"), Stop);
        await writer.WriteAsync(content, Stop);
        await writer.CommitAsync(Digest.Of(content), Stop);
        return store;
    }

    private StoreOperations Desk(ChunkedStore store) => new(
        Registry(store), new StorePlacement(Registry(store), fixture.Replicas, fixture.Nodes, new ThisNode("node", "run-1", "zone"), _clock), fixture.Replicas, fixture.Replications, fixture.Operations, new Notes(_scheduled), _options, _clock);

    private StoreOperationRunner NewRunner(ChunkedStore store, string run) => new(
        fixture.Operations, Registry(store), [new Collecting(store, TimeProvider.System)], fixture.Nodes, new ThisNode("node", run, "zone"),
        new NodeDuty(new ThisNode("node", run, "zone")), TimeProvider.System, NullLogger<StoreOperationRunner>.Instance);

    private static StoreRegistry Registry(ChunkedStore store) => new([(new LibraryStore(Main, "zone", "chunked", "", IsDefault: true), store)]);

    private async Task<StoreOperation> FindAsync(StoreOperationId id) => (await fixture.Operations.FindAsync(id, Stop))!;

    private async Task WhenAsync(StoreOperationId id, Func<StoreOperation, bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1);)
        {
            if (condition(await FindAsync(id)))
                return;

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Stop);
        }

        throw new TimeoutException("The operation did not come into the state that was waited for.");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The store's own upkeep, without what comes of it.</summary>
    private sealed class Collecting(ChunkedStore store, TimeProvider time) : IStoreWork
    {
        public bool Does(StoreOperationKind kind) => true;

        public async Task<Func<StoreOperation, StoreOperation>> RunAsync(
            StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
        {
            if (operation.Kind is StoreOperationKind.Collect)
            {
                var collected = await store.Upkeep.CollectAsync(progress, cancellationToken);
                return o => o.Finish(collected, time.Now());
            }

            var scrubbed = await store.Upkeep.ScrubAsync(operation.Rate, progress, cancellationToken);
            return o => o.Finish(scrubbed, time.Now());
        }
    }

    /// <summary>Notes what is to be run, for the test to run it.</summary>
    private sealed class Notes(List<StoreOperationId> scheduled) : IStoreOperationScheduler
    {
        public Task ScheduleAsync(StoreOperationId id, CancellationToken cancellationToken)
        {
            scheduled.Add(id);
            return Task.CompletedTask;
        }
    }
}
