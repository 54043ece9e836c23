using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of transfers.</summary>
public abstract class TransferCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Theory, MemberData(nameof(Seeds))]
    public async Task Every_field_is_read_back_as_it_was_written(int seed)
    {
        var samples = new Samples(seed);
        var image = await NewImageAsync();
        for (var i = 0; i < 10; i++)
        {
            var transfer = samples.AnyTransfer(image);
            await SaveAsync(transfer);
            CheckSame(transfer with { Version = 1 }, await fixture.Transfers.FindAsync(transfer.Id, Stop));

            var changed = samples.AnyTransfer(image) with { Id = transfer.Id, Version = 1 };
            await SaveAsync(changed);
            CheckSame(changed with { Version = 2 }, await fixture.Transfers.FindAsync(transfer.Id, Stop));
        }
    }

    [Fact]
    public async Task A_transfer_that_never_was_is_not_found() =>
        Assert.Null(await fixture.Transfers.FindAsync(TransferId.New(), Stop));

    [Fact]
    public async Task What_a_node_stores_after_another_took_the_transfer_is_refused()
    {
        var transfer = await NewTransferAsync();
        var first = await StoreAsync(transfer.Take("run-1", "one", Noon));
        var second = await StoreAsync(first.Take("run-2", "two", Noon));

        await Assert.ThrowsAsync<ConcurrentChangeException>(() => SaveAsync(first.Advance(10, 10, Noon)));
        Assert.Equal("run-2", (await fixture.Transfers.FindAsync(transfer.Id, Stop))?.Node);
        await SaveAsync(second.Advance(5, 5, Noon));
    }

    [Fact]
    public async Task Of_many_nodes_that_take_a_transfer_at_once_one_has_it()
    {
        var transfer = await NewTransferAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(
            async () => await Record.ExceptionAsync(() => SaveAsync(transfer.Take($"run-{i}", $"{i}", Noon))), Stop)));

        var winner = Assert.Single(Enumerable.Range(0, 30), i => outcomes[i] is null);
        Assert.Equal(29, outcomes.OfType<ConcurrentChangeException>().Count());
        Assert.Equal($"run-{winner}", (await fixture.Transfers.FindAsync(transfer.Id, Stop))?.Node);
    }

    [Fact]
    public async Task A_transfer_is_begun_once()
    {
        var transfer = await NewTransferAsync();
        await Assert.ThrowsAsync<ConcurrentChangeException>(() => SaveAsync(transfer with { Version = 0 }));
    }

    [Fact]
    public async Task Transfers_are_listed_the_newest_first_and_page_by_page()
    {
        var image = await NewImageAsync();
        var (project, other) = (ProjectId.New(), ProjectId.New());
        var samples = new Samples(7);
        var all = new List<Transfer>();
        for (var i = 0; i < 40; i++)
        {
            var transfer = samples.AnyTransfer(image) with
            {
                Project = i % 3 == 0 ? other : project,
                CreatedAt = Noon.AddMicroseconds(samples.Number(4)),
            };
            await SaveAsync(transfer);
            all.Add(transfer);
        }

        await CheckAsync(new() { Image = image }, _ => true);
        await CheckAsync(new() { Image = image, Limit = 7 }, _ => true);
        await CheckAsync(new() { Project = project, Limit = 1 }, t => t.Project == project);
        await CheckAsync(
            new() { Image = image, States = [TransferState.Running, TransferState.Done], Limit = 3 },
            t => t.State is TransferState.Running or TransferState.Done);
        await CheckAsync(new() { Project = other, Image = ImageId.New() }, _ => false);
        await CheckAsync(new() { Project = new ProjectId("\0") }, _ => false);

        async Task CheckAsync(TransferQuery query, Func<Transfer, bool> matches) => Assert.Equal(
            all.Where(matches).OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Id.ToString(), StringComparer.Ordinal).Select(t => t.Id),
            await ReadAllPagesAsync(query));
    }

    // An orphan is a transfer that somebody should take up. "here" is a living run, "gone" is one that is not.
    [Theory]
    [InlineData("import", "queued", null, true)]
    [InlineData("import", "queued", "here", true)]
    [InlineData("import", "queued", "gone", true)]
    [InlineData("import", "running", null, true)]
    [InlineData("import", "running", "here", false)]
    [InlineData("import", "running", "gone", true)]
    [InlineData("import", "retrying", null, true)]
    [InlineData("import", "retrying", "here", false)]
    [InlineData("import", "retrying", "gone", true)]
    [InlineData("import", "verifying", "here", false)]
    [InlineData("import", "verifying", "gone", true)]
    [InlineData("import", "done", "gone", false)]
    [InlineData("import", "failed", "gone", false)]
    [InlineData("import", "cancelled", "gone", false)]
    [InlineData("upload", "queued", null, false)]
    [InlineData("upload", "running", null, false)]
    [InlineData("upload", "running", "here", false)]
    [InlineData("upload", "running", "gone", true)]
    [InlineData("upload", "verifying", "gone", true)]
    [InlineData("upload", "done", "gone", false)]
    [InlineData("stream", "queued", null, false)]
    [InlineData("stream", "running", "here", false)]
    [InlineData("stream", "running", "gone", true)]
    [InlineData("stream", "cancelled", "gone", false)]
    public async Task An_orphan_is_what_no_living_run_works_on(string kind, string state, string? node, bool orphan)
    {
        var transfer = Samples.NewTransfer(await NewImageAsync()) with
        {
            Kind = EnumWords.Parse<TransferKind>(kind, "kind"),
            State = EnumWords.Parse<TransferState>(state, "state"),
            Node = node,
            NextAttemptAt = state == "retrying" ? Noon.AddYears(10) : null,
        };
        await SaveAsync(transfer);

        Assert.Equal(orphan, await IsOrphanAsync(transfer, "elsewhere", "here"));
        if (orphan)
            await SaveAsync(transfer with { State = TransferState.Cancelled, Version = 1 });
    }

    [Fact]
    public async Task Where_no_run_lives_every_transfer_that_a_run_has_is_an_orphan()
    {
        var older = Samples.NewTransfer(await NewImageAsync()) with { CreatedAt = Noon.AddYears(-2), Kind = TransferKind.Upload };
        var newer = older with { Id = TransferId.New(), CreatedAt = Noon.AddYears(-1) };
        await SaveAsync(newer.Take("run", "one", Noon));
        await SaveAsync(older.Take("run", "one", Noon));

        var orphans = await fixture.Transfers.ListOrphansAsync([], Stop);
        Assert.Equal([older.Id, newer.Id], orphans.Take(2).Select(t => t.Id));
    }

    private async Task<bool> IsOrphanAsync(Transfer transfer, params string[] living) =>
        (await fixture.Transfers.ListOrphansAsync(living, Stop)).Any(t => t.Id == transfer.Id);

    private async Task<List<TransferId>> ReadAllPagesAsync(TransferQuery query)
    {
        var all = new List<TransferId>();
        IReadOnlyList<Transfer> page;
        do
        {
            page = await fixture.Transfers.ListAsync(query, Stop);
            all.AddRange(page.Select(t => t.Id));
            query = query with { After = page.Count > 0 ? page[^1].Id : null };
        }
        while (page.Count == query.Limit);
        return all;
    }

    private async Task<ImageId> NewImageAsync()
    {
        var image = Samples.NewImage();
        await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
        return image.Id;
    }

    [Fact]
    public async Task Transfers_are_listed_by_their_kinds_and_by_the_operation_that_wants_them()
    {
        var (image, operation) = (await NewImageAsync(), StoreOperationId.New());
        var transfers = new List<Transfer>();
        foreach (var kind in Enum.GetValues<TransferKind>())
        {
            var transfer = Samples.NewTransfer(image) with { Kind = kind, Operation = kind is TransferKind.Copy ? operation : null };
            await SaveAsync(transfer);
            transfers.Add(transfer);
        }

        var some = await fixture.Transfers.ListAsync(new TransferQuery { Image = image, Kinds = [TransferKind.Import, TransferKind.Copy], OldestFirst = true }, Stop);
        Assert.Equal([TransferKind.Import, TransferKind.Copy], some.Select(t => t.Kind).Order());
        var wanted = await fixture.Transfers.ListAsync(new TransferQuery { Operation = operation }, Stop);
        Assert.Equal(TransferKind.Copy, Assert.Single(wanted).Kind);
    }

    [Fact]
    public async Task A_copy_that_nobody_works_on_is_an_orphan_like_an_import()
    {
        var copy = Samples.NewTransfer(await NewImageAsync()) with { Kind = TransferKind.Copy };
        await SaveAsync(copy);
        Assert.Contains(await fixture.Transfers.ListOrphansAsync([], Stop), t => t.Id == copy.Id);
    }

    private async Task<Transfer> NewTransferAsync() => await StoreAsync(Samples.NewTransfer(await NewImageAsync()));

    private async Task<Transfer> StoreAsync(Transfer transfer)
    {
        await SaveAsync(transfer);
        return transfer with { Version = transfer.Version + 1 };
    }

    private Task SaveAsync(Transfer transfer) => fixture.Catalogue.SaveAsync(new() { Transfers = [transfer] }, Stop);

    private static void CheckSame(Transfer expected, Transfer? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Notes, actual.Notes);
        Assert.Equal(expected.FurtherStores, actual.FurtherStores);
        Assert.Equal(expected with { Notes = [], FurtherStores = [] }, actual with { Notes = [], FurtherStores = [] });
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteTransferCatalogueTests(SqliteFixture fixture) : TransferCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresTransferCatalogueTests(PostgresFixture fixture) : TransferCatalogueContract(fixture), IClassFixture<PostgresFixture>;
