using Vitrine.Access;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of limits: they hold however many ask at once.</summary>
public abstract class LimitCatalogueContract(CatalogueFixture fixture)
{
    private const int Many = 30;

    private static readonly LibraryOptions Options = new();

    [Fact]
    public async Task What_was_decided_is_read_back_until_the_configuration_counts_again()
    {
        await fixture.Limits.SaveAsync([new(LimitName.BytesPerSecond, 1L << 33), new(LimitName.TransfersPerSource, null)], Stop);
        var decided = await fixture.Limits.ListAsync(Stop);
        Assert.Equal((1L << 33, null), (decided[LimitName.BytesPerSecond], decided[LimitName.TransfersPerSource]));
        Assert.Equal(Options.OpenUploadsPerProject, new LibraryLimits(decided, Options)[LimitName.UploadsPerProject]);

        await fixture.Limits.SaveAsync(
            [new(LimitName.BytesPerSecond, null, AsConfigured: true), new(LimitName.TransfersPerSource, null, AsConfigured: true)], Stop);
        Assert.Empty(await fixture.Limits.ListAsync(Stop));
    }

    [Theory]
    [InlineData(LimitName.TransfersPerNode)]
    [InlineData(LimitName.TransfersPerSource)]
    [InlineData(LimitName.TransfersPerProject)]
    public async Task Of_many_transfers_that_are_taken_at_once_as_many_begin_as_the_limit_says(LimitName limit)
    {
        var (node, host, project) = (NewName(), $"{NewName()}.test", ProjectId.New());
        var queued = new List<Transfer>();
        for (var i = 0; i < Many; i++)
            queued.Add(await NewTransferAsync(
                limit is LimitName.TransfersPerSource ? host : $"{NewName()}.test", limit is LimitName.TransfersPerProject ? project : ProjectId.New()));

        var reached = await Task.WhenAll(queued.Select((t, i) => Task.Run(() => TryTakeAsync(t, NodeOf(i), Limits(limit, 4)), Stop)));
        Assert.Equal(4, reached.Count(r => r is null));
        Assert.All(reached.OfType<ReachedLimit>(), r => Assert.Equal(new ReachedLimit(limit, 4, 4), r));

        var waiting = queued.Where((_, i) => reached[i] is not null).ToList();
        Assert.All(waiting, w => Assert.Equal(TransferState.Queued, w.State));
        var again = await Task.WhenAll(waiting.Select((t, i) => Task.Run(() => TryTakeAsync(t, NodeOf(i), Limits(limit, 16)), Stop)));
        Assert.Equal(12, again.Count(r => r is null));

        string NodeOf(int i) => limit is LimitName.TransfersPerNode ? node : $"{node}-{i}";
    }

    [Fact]
    public async Task What_is_over_waits_or_is_an_upload_counts_for_nobody_and_a_transfer_not_for_itself()
    {
        var node = NewName();
        var limits = Limits(LimitName.TransfersPerNode, 1);
        var first = await NewTransferAsync($"{node}.test", ProjectId.New());
        Assert.Null(await TryTakeAsync(first, node, limits));
        var taken = (await fixture.Transfers.FindAsync(first.Id, Stop))!;
        Assert.Null(await fixture.Catalogue.TryTakeAsync(taken.Take(node, node, Samples.Noon), limits, Stop));

        var second = await NewTransferAsync($"{node}.test", ProjectId.New());
        Assert.NotNull(await TryTakeAsync(second, node, limits));
        taken = (await fixture.Transfers.FindAsync(first.Id, Stop))!;
        await fixture.Catalogue.SaveAsync(new() { Transfers = [taken.Release()] }, Stop);
        Assert.Null(await TryTakeAsync(second, node, limits));
        await Assert.ThrowsAsync<ConcurrentChangeException>(() => TryTakeAsync(second, NewName(), limits));
    }

    [Fact]
    public async Task Of_many_uploads_that_begin_at_once_as_many_do_as_the_project_may_have()
    {
        var project = ProjectId.New();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => Task.Run(
            async () => await Record.ExceptionAsync(() => NewUploadAsync(project, most: 5)), Stop)));
        Assert.Equal(5, outcomes.Count(o => o is null));
        Assert.Equal(Many - 5, outcomes.OfType<TooManyUploadsException>().Count());

        await NewUploadAsync(ProjectId.New(), most: 5);
        await NewUploadAsync(project, most: 6);
        await NewUploadAsync(project, most: null);
    }

    [Fact]
    public async Task The_load_of_a_node_is_what_the_catalogue_gives_it()
    {
        var node = NewName();
        for (var i = 0; i < 3; i++)
            await TryTakeAsync(await NewTransferAsync($"{node}.test", ProjectId.New()), node, Limits(LimitName.TransfersPerNode, 2));

        Assert.Equal(new NodeLoad(2, 0), (await fixture.Nodes.MeasureLoadAsync(Stop))[node]);
        var running = (await fixture.Transfers.ListRunningAsync(Stop)).Where(r => r.Node == node).ToList();
        Assert.Equal([$"{node}.test", $"{node}.test"], running.Select(r => r.SourceHost));
    }

    private static string NewName() => $"n{Guid.NewGuid():N}";

    /// <summary>No other limit is in the way.</summary>
    private static LibraryLimits Limits(LimitName name, long most) =>
        new(LimitNames.All.ToDictionary(n => n, n => n == name ? most : (long?)null), Options);

    private Task<ReachedLimit?> TryTakeAsync(Transfer queued, string node, LibraryLimits limits) =>
        fixture.Catalogue.TryTakeAsync(queued.Take(node, node, Samples.Noon), limits, Stop);

    private async Task<Transfer> NewTransferAsync(string host, ProjectId project)
    {
        var image = Samples.NewImage();
        var transfer = Samples.NewTransfer(image.Id) with { Project = project, SourceUrl = $"http://{host}/disk.img" };
        await fixture.Catalogue.SaveAsync(new() { Image = image, Transfers = [transfer] }, Stop);
        return transfer with { Version = 1 };
    }

    private Task NewUploadAsync(ProjectId project, long? most)
    {
        var image = Samples.NewImage();
        var upload = Samples.NewTransfer(image.Id) with { Project = project, Kind = TransferKind.Upload };
        return fixture.Catalogue.SaveAsync(new() { Image = image, Transfers = [upload], MostOpenUploads = most }, Stop);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteLimitCatalogueTests(SqliteFixture fixture) : LimitCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresLimitCatalogueTests(PostgresFixture fixture) : LimitCatalogueContract(fixture), IClassFixture<PostgresFixture>;
