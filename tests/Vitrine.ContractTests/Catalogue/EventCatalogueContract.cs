using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Events;
using Vitrine.Images;
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
        Assert.DoesNotContain(await fixture.Events.ListAsync(default, int.MaxValue, Stop), e => e.Image == image.Id);
        Assert.Contains(await fixture.Events.ListAsync(start, 100, Stop), e => e.Image == later.Id);
    }

    private async Task<EventPosition> EndAsync() => (await fixture.Events.FindSpanAsync(Stop))?.Last ?? default;

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
        var start = (await events.FindSpanAsync(Stop))?.Last ?? default;
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
