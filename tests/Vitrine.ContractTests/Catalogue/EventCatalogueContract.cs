using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of events.</summary>
public abstract class EventCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_change_of_a_state_is_written_once_and_nothing_else_is()
    {
        var start = await EndAsync();
        var (image, transfer) = await BeginAsync();
        await SaveAsync(transfer = transfer.Take("run", "node", Noon) with { Version = 1 });
        await SaveAsync(transfer = transfer.Connect(10, 0, null, Noon) with { Version = 2 });
        await SaveAsync(transfer = transfer.Advance(5, 5, Noon) with { Version = 3 });
        await fixture.Catalogue.SaveAsync(
            new CatalogueChange
            {
                Transfers = [transfer.Fail(new TransferFailure("broken", "receiving", "It is broken.", "Mend it.", null, Noon), Noon) with { Version = 4 }],
                Image = image.Fail(Noon) with { Version = 1 },
            },
            Stop);

        await SettleAsync();
        var events = await fixture.Events.ListAsync(start, 100, Stop);
        Assert.Equal(
            [(null, "saving", null, null), ("t", "queued", null, null), ("t", "running", "queued", null), (null, "failed", "saving", null), ("t", "failed", "running", "broken")],
            events.Select(e => (e.Transfer is null ? null : "t", e.State, e.Previous, e.Failure)));
        Assert.All(events, e => Assert.Equal((image.Id, image.Owner), (e.Image, e.Project)));
        Assert.Equal(image.Visibility, events[0].Visibility);
        Assert.Equal(events.Skip(2).Select(e => e.Position), (await fixture.Events.ListAsync(events[1].Position!.Value, 100, Stop)).Select(e => e.Position));
        Assert.Equal(events.Take(2).Select(e => e.Position), (await fixture.Events.ListAsync(start, 2, Stop)).Select(e => e.Position));
        Assert.Equal(events[^1].Position, await EndAsync());
    }

    [Fact]
    public async Task What_happened_to_a_transfer_is_told_with_its_nodes_and_its_failures()
    {
        var (_, transfer) = await BeginAsync();
        await BeginAsync();
        await SaveAsync(transfer = transfer.Take("run-1", "one", Noon) with { Version = 1 });
        await SaveAsync(transfer = transfer.Reach().Connect(10, 0, null, Noon).Advance(4, 4, Noon) with { Version = 2 });
        await SaveAsync(transfer = transfer.Take("run-2", "two", Noon) with { Version = 3 });
        await SaveAsync(transfer = transfer.Retry(new TransferFailure("broken", "receiving", "It is broken.", "Mend it.", "two", Noon), Noon) with { Version = 4 });
        await SaveAsync(transfer = transfer.Take("run-2", "two", Noon) with { Version = 5 });
        await SaveAsync(transfer.Release() with { Version = 6 });

        var log = await fixture.Events.ListForAsync(transfer.Id, 100, Stop);
        Assert.Equal(
            [
                ("queued", null, null, "waiting", 0, 0L), ("running", "queued", "one", "connecting", 0, 0L), ("running", "running", "two", "connecting", 1, 4L),
                ("retrying", "running", "two", "waiting", 1, 4L), ("running", "retrying", "two", "connecting", 1, 4L), ("queued", "running", "two", "waiting", 1, 4L),
            ],
            log.Select(e => (e.State, e.Previous, e.Node, e.Step, e.Attempt!.Value, e.Moved!.Value)));
        Assert.Equal([("broken", "It is broken.")], log.Where(e => e.Failure is not null).Select(e => (e.Failure, e.Cause)));
        Assert.Equal(log.TakeLast(2), await fixture.Events.ListForAsync(transfer.Id, 2, Stop));
    }

    [Fact]
    public async Task A_transfer_that_is_taken_within_the_limits_is_an_event_too()
    {
        var (_, transfer) = await BeginAsync();
        Assert.Null(await fixture.Catalogue.TryTakeAsync(transfer.Take("run", "node", Noon) with { Version = 1 }, new LibraryLimits(new Dictionary<LimitName, long?>(), new LibraryOptions()), Stop));
        Assert.Equal([("queued", null), ("running", "node")], (await fixture.Events.ListForAsync(transfer.Id, 100, Stop)).Select(e => (e.State, e.Node)));
    }

    [Fact]
    public async Task A_change_that_was_refused_is_no_event()
    {
        var (_, transfer) = await BeginAsync();
        var start = await EndAsync();
        await Assert.ThrowsAsync<ConcurrentChangeException>(() => SaveAsync(transfer.Cancel(Noon) with { Version = 7 }));
        Assert.Empty(await fixture.Events.ListAsync(start, 100, Stop));
    }

    [Fact]
    public async Task Whoever_reads_by_position_misses_nothing_of_many_who_write_at_once()
    {
        var start = await EndAsync();
        var (seen, last) = (new List<LibraryEvent>(), start);
        var writing = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 10; i++)
                    await BeginAsync();
            },
            Stop)));
        while (seen.Count < 160)
        {
            var page = await fixture.Events.ListAsync(last, 7, Stop);
            seen.AddRange(page);
            last = page.Count > 0 ? page[^1].Position!.Value : last;
            if (page.Count == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Stop);
        }

        await writing;
        Assert.Equal(160, seen.Select(e => e.Position).Distinct().Count());
        Assert.Equal(seen.Select(e => e.Position!.Value).Order(), seen.Select(e => e.Position!.Value));
    }

    [Fact]
    public async Task Whoever_waits_is_woken_by_a_commit()
    {
        await fixture.Events.WaitAsync(TimeSpan.Zero, Stop);
        var woken = fixture.Events.WaitAsync(TimeSpan.FromMinutes(10), Stop);
        while (!woken.IsCompleted)
        {
            await BeginAsync();
            await Task.WhenAny(woken, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Stop));
        }

        await woken;
    }

    [Fact]
    public async Task What_is_too_old_is_forgotten()
    {
        var (image, _) = await BeginAsync();
        var start = await EndAsync();
        var (later, _) = await BeginAsync();
        await fixture.Database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync(
                "update events set created_at = @Old where image = @image", new { Old = Stored.Micros(Noon.AddYears(-1)), image = image.Id.ToString() }, transaction),
            Stop);

        await fixture.Events.PruneAsync(Noon.AddMonths(-1), Stop);
        await SettleAsync();
        Assert.DoesNotContain(await fixture.Events.ListAsync(default, int.MaxValue, Stop), e => e.Image == image.Id);
        Assert.Contains(await fixture.Events.ListAsync(start, 100, Stop), e => e.Image == later.Id);
    }

    private protected async Task<EventPosition> EndAsync()
    {
        await SettleAsync();
        return (await fixture.Events.FindSpanAsync(Stop))?.Last ?? default;
    }

    /// <summary>Waits until all that was written can be read: other databases of the server have open transactions, too.</summary>
    private async Task SettleAsync()
    {
        await using var connection = await fixture.Database.OpenAsync(Stop);
        while (await connection.ExecuteScalarAsync<long>($"select count(*) from events where not ({fixture.Database.Dialect.Settled("written_by")})") > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Stop);
    }

    private async Task<(Image Image, Transfer Transfer)> BeginAsync()
    {
        var image = new Image { Id = ImageId.New(), Owner = new ProjectId("project"), Domain = "default", CreatedAt = Noon, UpdatedAt = Noon };
        var transfer = new Transfer
        {
            Id = TransferId.New(),
            Image = image.Id,
            Project = image.Owner,
            Kind = TransferKind.Upload,
            Store = "main",
            Length = 10,
            CreatedAt = Noon,
        };
        var receiving = image.Receive(transfer, Noon);
        await fixture.Catalogue.SaveAsync(new CatalogueChange { Image = receiving, Transfers = [transfer] }, Stop);
        return (receiving, transfer);
    }

    private Task SaveAsync(Transfer transfer) => fixture.Catalogue.SaveAsync(new CatalogueChange { Transfers = [transfer] }, Stop);
}

public sealed class SqliteEventCatalogueTests(SqliteFixture fixture) : EventCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresEventCatalogueTests(PostgresFixture fixture) : EventCatalogueContract(fixture), IClassFixture<PostgresFixture>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_of_a_transaction_that_is_still_open_holds_back_those_behind_it()
    {
        var events = fixture.Events;
        var start = await EndAsync();
        await using var connection = await fixture.Database.OpenAsync(Stop);
        await using (var open = await connection.BeginTransactionAsync(Stop))
        {
            await connection.ExecuteAsync("insert into events (image, project, state, created_at) values ('0199d6b0-0000-7000-8000-000000000001', 'p', 'queued', 1)", transaction: open);
            await fixture.Catalogue.SaveAsync(
                new CatalogueChange { Image = new Image { Id = ImageId.New(), Owner = new ProjectId("p"), Domain = "d", CreatedAt = Samples.Noon, UpdatedAt = Samples.Noon } }, Stop);
            Assert.Empty(await events.ListAsync(start, 100, Stop));
            await open.CommitAsync(Stop);
        }

        // Other databases of the server have transactions, too.
        while ((await events.ListAsync(start, 100, Stop)).Count < 2)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Stop);
        Assert.Equal(2, (await events.ListAsync(start, 100, Stop)).Count);
    }
}
