using System.Data.Common;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Stores.Memory;
using Vitrine.Testing;
using Vitrine.Testing.Library;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>Imports from their registration to their end, over a real database and a real directory.</summary>
public sealed class ImportTests : IDisposable
{
    private const int Size = 3 * Block + 1234;

    private readonly LibraryHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task An_import_goes_from_queued_over_running_and_verifying_to_done()
    {
        var (url, content) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var states = Watch(node);
        var (image, transfer) = await node.ImportAsync(url, Checksum.Parse(Digest.Of(content).ToString()));
        Assert.Equal(ImageStatus.Importing, (await node.ImageAsync(image)).Status);
        Assert.Equal(ReplicaState.Receiving, Assert.Single(await node.Replicas.ListAsync([image], Stop)).State);

        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
        Assert.Equal(["queued waiting", "running connecting", "running receiving", "verifying checking", "verifying storing", "done "], states);
        Assert.Equal((Size, Size, 1), Counted(await node.TransferAsync(transfer)));
        await node.AssertSweptAsync(content);
    }

    [Fact]
    public async Task To_be_told_of_a_transfer_twice_is_no_harm()
    {
        var (url, content) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await Task.WhenAll(node.RunAsync(transfer), node.RunAsync(transfer), node.RunAsync(transfer));
        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
        Assert.Equal(Size, _home.Source.Given);
    }

    [Fact]
    public async Task After_a_cut_only_the_rest_is_fetched_and_the_wait_is_shown()
    {
        var (url, content) = _home.Publish(Size);
        _home.Source.Cuts.Enqueue(100_000);
        _home.Source.Cuts.Enqueue(200_000);
        await using var node = await _home.StartAsync();
        var retries = new List<Transfer>();
        node.Catalogue.After = change =>
        {
            if (change.Moving() is { State: TransferState.Retrying } retrying)
                retries.Add(retrying);
            return Task.CompletedTask;
        };
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, content);
        Assert.Equal([0, 100_000, 300_000], _home.Source.AskedFrom);
        Assert.Equal(Size, _home.Source.Given);
        Assert.All(retries, r => Assert.Equal(("source-broken", true), (r.Failure!.Code, r.NextAttemptAt > r.Failure.At)));
        Assert.Contains(retries, r => r.Moved == 100_000);
        Assert.Equal((Size, Size, 3), Counted(await node.TransferAsync(transfer)));
        Assert.Null((await node.TransferAsync(transfer)).Failure);
    }

    [Fact]
    public async Task A_source_without_ranges_is_fetched_from_the_start_again_and_that_is_noted()
    {
        var (url, content) = _home.Publish(Size);
        _home.Source.CanResume = false;
        _home.Source.Cuts.Enqueue(100_000);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, content);
        Assert.Equal(100_000 + Size, _home.Source.Given);
        var done = await node.TransferAsync(transfer);
        Assert.Equal((Size, 100_000 + Size, 2), Counted(done));
        Assert.Contains(done.Notes, n => n.Contains("does not support ranges", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_changes_meanwhile_is_fetched_anew_and_that_is_noted()
    {
        var (url, _) = _home.Publish(Size);
        var (_, changed) = _home.Publish(Size - 5, seed: 9);
        _home.Source.Cuts.Enqueue(100_000);
        _home.Source.BeforeRead = (offset, _) =>
        {
            if (offset == 100_000)
                (_home.Source.Validator, _home.Source.Files[new Uri(url).AbsolutePath]) = ("\"v2\"", changed);
            return ValueTask.CompletedTask;
        };
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, changed);
        Assert.Contains((await node.TransferAsync(transfer)).Notes, n => n.Contains("changed during the transfer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_source_that_says_no_length_is_fetched_to_its_end()
    {
        var (url, content) = _home.Publish(Size);
        _home.Source.SaysLength = false;
        _home.Source.Cuts.Enqueue(100_000);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
        Assert.Equal(Size, _home.Source.Given);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_source_that_never_gets_further_is_given_up_after_eight_attempts(bool givesBytes)
    {
        var (url, _) = _home.Publish(Size);
        _home.Source.CanResume = false;
        if (givesBytes)
            _home.Source.AlwaysCut = 70_000;
        else
            _home.Source.Refusal = new SourceException(SourceFault.Connect, "Nobody answers.", mayPass: true);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);

        Assert.Equal(8, _home.Source.AskedFrom.Count);
        var failed = await node.TransferAsync(transfer);
        Assert.Equal((TransferState.Failed, givesBytes ? "source-broken" : "source-connect"), (failed.State, failed.Failure?.Code));
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        Assert.Empty(await node.Replicas.ListAsync([image], Stop));
    }

    [Fact]
    public async Task A_source_that_always_cuts_but_gets_further_is_fetched_to_its_end()
    {
        var (url, content) = _home.Publish(Size);
        _home.Source.AlwaysCut = 50_000;
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
        Assert.Equal((Size, Size, Size / 50_000 + 1), Counted(await node.TransferAsync(transfer)));
    }

    [Fact]
    public async Task What_cannot_pass_fails_at_once()
    {
        var (url, _) = _home.Publish(Size);
        _home.Source.Refusal = new SourceException(SourceFault.Status, "The source answered 404.", mayPass: false);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        Assert.Single(_home.Source.AskedFrom);
        Assert.Equal("source-status", (await node.TransferAsync(transfer)).Failure?.Code);
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        await node.AssertHoldsAsync();
    }

    [Theory]
    [InlineData("checksum")]
    [InlineData("format")]
    [InlineData("unsafe")]
    [InlineData("page")]
    [InlineData("empty")]
    public async Task Content_that_is_refused_leaves_nothing_behind(string what)
    {
        var (url, content) = _home.Publish(what is "empty" ? 0 : Size);
        if (what is "unsafe")
            _home.Source.Files[new Uri(url).AbsolutePath] = SampleImages.Qcow2WithBackingFile("/etc/passwd");
        if (what is "page")
            _home.Source.Files[new Uri(url).AbsolutePath] = SampleImages.WebPage();
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(
            url,
            what is "checksum" ? Checksum.Parse(Digest.Of([1]).ToString()) : null,
            describe: i => i with { Name = "x", DiskFormat = what is "format" ? DiskFormat.Vmdk : null });
        await node.RunAsync(transfer);

        var failed = await node.TransferAsync(transfer);
        Assert.Equal(TransferState.Failed, failed.State);
        Assert.Equal(
            what switch
            {
                "checksum" => "checksum-mismatch",
                "format" => "format-mismatch",
                "unsafe" => "unsafe-feature",
                "page" => "not-an-image",
                _ => "empty-content",
            },
            failed.Failure?.Code);
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        await node.AssertHoldsAsync();
        Assert.NotNull(content);
    }

    [Fact]
    public async Task A_cancel_in_the_middle_stops_the_bytes_and_leaves_nothing()
    {
        var (url, _) = _home.Publish(40 * Block);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        _home.Source.BeforeRead = async (offset, _) =>
        {
            _home.Clock.Advance(TimeSpan.FromMilliseconds(300));
            if (offset == 8 * Block)
                await node.Desk.CancelAsync(transfer, Caller, Stop);
        };
        await node.RunAsync(transfer);

        Assert.Equal(TransferState.Cancelled, (await node.TransferAsync(transfer)).State);
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        Assert.InRange(_home.Source.Given, 8 * Block, 10 * Block);
        Assert.Empty(await node.Replicas.ListAsync([image], Stop));
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task A_cancel_while_the_next_attempt_is_waited_for_is_felt_before_it()
    {
        var (url, _) = _home.Publish(Size);
        _home.Source.AlwaysCut = 0;
        await using var node = await _home.StartAsync();
        var (_, transfer) = await node.ImportAsync(url);
        DateTimeOffset? next = null;
        node.Catalogue.After = async change =>
        {
            if (change.Moving() is { State: TransferState.Retrying, Fruitless: 4 } retrying)
            {
                next = retrying.NextAttemptAt;
                await node.Desk.CancelAsync(transfer, Caller, Stop);
            }
        };
        await node.RunAsync(transfer);

        Assert.Equal(TransferState.Cancelled, (await node.TransferAsync(transfer)).State);
        Assert.True(_home.Clock.GetUtcNow() < next);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task Deleting_the_image_in_the_middle_stops_the_bytes_and_leaves_nothing()
    {
        var (url, _) = _home.Publish(40 * Block);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        _home.Source.BeforeRead = async (offset, _) =>
        {
            _home.Clock.Advance(TimeSpan.FromMilliseconds(300));
            if (offset == 8 * Block)
                await node.Library.DeleteAsync(image, Caller, Stop);
        };
        await node.RunAsync(transfer);

        Assert.Equal(TransferState.Cancelled, (await node.TransferAsync(transfer)).State);
        Assert.Equal(ImageStatus.Deleted, (await node.ImageAsync(image)).Status);
        Assert.InRange(_home.Source.Given, 8 * Block, 10 * Block);
        await node.AssertHoldsAsync();
        await Assert.ThrowsAsync<ImageNotFoundException>(() => node.Desk.RetryAsync(transfer, Caller, Stop));
    }

    [Theory]
    [InlineData("verifying checking")]
    [InlineData("verifying storing")]
    public async Task A_cancel_at_the_very_end_leaves_nothing_after_one_sweep(string at)
    {
        var (url, _) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        node.Catalogue.After = async change =>
        {
            if (change.Moving() is { } saved && Word(saved) == at)
                await node.Desk.CancelAsync(transfer, Caller, Stop);
        };
        await node.RunAsync(transfer);
        Assert.Equal((TransferState.Cancelled, ImageStatus.Failed), ((await node.TransferAsync(transfer)).State, (await node.ImageAsync(image)).Status));
        await node.AssertSweptAsync();
    }

    [Fact]
    public async Task A_retry_goes_on_from_what_is_staged_and_claims_the_address_again()
    {
        var (url, content) = _home.Publish(Size);
        _home.Source.AlwaysCut = 0;
        _home.Source.Cuts.Enqueue(2 * Block);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        Assert.Equal(TransferState.Failed, (await node.TransferAsync(transfer)).State);
        Assert.Equal(2 * Block, (await node.Store.ListStagedAsync(Stop).SingleAsync(Stop)).Length);

        // A sweep leaves what a user may still go on with.
        await node.SweepAsync();
        _home.Source.AlwaysCut = null;
        var again = await node.Desk.RetryAsync(transfer, Caller, Stop);
        Assert.Equal(TransferState.Queued, again.State);
        Assert.Equal(ImageStatus.Importing, (await node.ImageAsync(image)).Status);
        Assert.Equal(ReplicaState.Receiving, Assert.Single(await node.Replicas.ListAsync([image], Stop)).State);
        await Assert.ThrowsAsync<DuplicateSourceException>(() => node.ImportAsync(url));

        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
        Assert.Equal(Size, _home.Source.Given);
    }

    [Fact]
    public async Task What_failed_is_swept_once_it_is_old_or_its_image_is_gone()
    {
        await using var node = await _home.StartAsync();
        for (var round = 0; round < 2; round++)
        {
            var (url, _) = _home.Publish(Size);
            _home.Source.AlwaysCut = 0;
            _home.Source.Cuts.Enqueue(Block);
            var (image, transfer) = await node.ImportAsync(url);
            await node.RunAsync(transfer);
            Assert.Single(await node.Store.ListStagedAsync(Stop).ToListAsync(Stop));
            if (round == 0)
                await node.Library.DeleteAsync(image, Caller, Stop);
            else
                _home.Clock.Advance(TimeSpan.FromDays(20_000)); // the file's own time is that of the machine
            await node.AssertSweptAsync();
        }
    }

    [Fact]
    public async Task A_retry_of_an_address_that_was_registered_anew_is_refused()
    {
        var (url, _) = _home.Publish(Size);
        _home.Source.Refusal = new SourceException(SourceFault.Status, "The source answered 404.", mayPass: false);
        await using var node = await _home.StartAsync();
        var (_, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        var (second, _) = await node.ImportAsync(url);
        var refusal = await Assert.ThrowsAsync<DuplicateSourceException>(() => node.Desk.RetryAsync(transfer, Caller, Stop));
        Assert.Equal(second, refusal.Existing);
    }

    [Fact]
    public async Task A_second_image_of_an_address_is_refused_unless_asked_for_and_then_stored_once()
    {
        var (url, content) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (first, transfer) = await node.ImportAsync(url);
        Assert.Equal(first, (await Assert.ThrowsAsync<DuplicateSourceException>(() => node.ImportAsync(url))).Existing);
        await node.RunAsync(transfer);
        Assert.Equal(first, (await Assert.ThrowsAsync<DuplicateSourceException>(() => node.ImportAsync(url))).Existing);

        var (second, copy) = await node.ImportAsync(url, allowDuplicate: true);
        await node.RunAsync(copy);
        await node.AssertActiveAsync(first, content);
        await node.AssertActiveAsync(second, content);
        Assert.Equal(new StoreUse(2, 1, 2 * Size, Size), await node.Replicas.MeasureAsync(Main, Stop));

        await node.Library.DeleteAsync(first, Caller, Stop);
        await node.AssertActiveAsync(second, content);
        await node.Library.DeleteAsync(second, Caller, Stop);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task Of_many_who_register_an_address_at_once_one_succeeds()
    {
        var (url, _) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ => await Record.ExceptionAsync(() => node.ImportAsync(url))));
        Assert.Single(outcomes, o => o is null);
        Assert.Equal(11, outcomes.Count(o => o is DuplicateSourceException));
    }

    [Fact]
    public async Task A_file_that_does_not_fit_is_refused_before_a_byte_is_taken()
    {
        var (url, _) = _home.Publish(Size);
        await using var node = await _home.StartAsync(store: _ => new MemoryStore(Main, _home.Clock, capacity: Size - 1));
        var (_, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        Assert.Equal("store-full", (await node.TransferAsync(transfer)).Failure?.Code);
        Assert.Equal(0, _home.Source.Given);
    }

    [Fact]
    public async Task What_is_known_to_fill_a_store_is_refused_before_it_is_full()
    {
        var store = new MemoryStore(Main, _home.Clock, capacity: 100_000);
        var registry = new StoreRegistry([(new LibraryStore(Main, "default", "memory", "", IsDefault: true), store)]);
        await registry.CheckRoomAsync(Main, 95_000, Stop);
        await registry.CheckRoomAsync(Main, needed: null, Stop);
        var full = await Assert.ThrowsAsync<StoreFullException>(() => registry.CheckRoomAsync(Main, 95_001, Stop));
        Assert.Equal((100_001, 100_000), (full.Needed, full.Free));
    }

    [Fact]
    public async Task A_store_that_fills_in_the_middle_gets_its_room_back()
    {
        var (url, _) = _home.Publish(30 * Block);
        _home.Source.SaysLength = false;
        await using var node = await _home.StartAsync(store: _ => new MemoryStore(Main, _home.Clock, capacity: 9 * Block));
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        Assert.Equal(("store-full", ImageStatus.Failed), ((await node.TransferAsync(transfer)).Failure?.Code, (await node.ImageAsync(image)).Status));
        await node.AssertHoldsAsync();
    }

    [Theory]
    [InlineData(StoreCall.OpenWriter)]
    [InlineData(StoreCall.Measure)]
    [InlineData(StoreCall.Write)]
    [InlineData(StoreCall.Flush)]
    [InlineData(StoreCall.Commit)]
    [InlineData(StoreCall.Committed)]
    public async Task A_store_that_is_away_for_a_while_delays_the_import_and_no_more(StoreCall call)
    {
        var (url, content) = _home.Publish(30 * Block);
        _home.Source.BeforeRead = (_, _) =>
        {
            _home.Clock.Advance(TimeSpan.FromMilliseconds(300));
            return ValueTask.CompletedTask;
        };
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        faulty!.On(call).Throw(() => new StoreUnavailableException(Main, "the test wants it.")).Times(3);
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
        Assert.InRange(_home.Source.Given, 30 * Block, 30 * Block + (call is StoreCall.Write ? 3 * Unwritten : 0));
        await node.AssertSweptAsync(content);
    }

    [Fact]
    public async Task A_store_that_stays_away_fails_the_import_and_keeps_what_came()
    {
        var (url, content) = _home.Publish(Size);
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        faulty!.On(StoreCall.Commit).Throw(() => new StoreUnavailableException(Main, "the test wants it."));
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        Assert.Equal("store-unavailable", (await node.TransferAsync(transfer)).Failure?.Code);

        faulty.Heal();
        await node.SweepAsync();
        await node.Desk.RetryAsync(transfer, Caller, Stop);
        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
        Assert.Equal(Size, _home.Source.Given);
    }

    [Fact]
    public async Task A_writer_that_an_earlier_run_still_holds_is_waited_for()
    {
        var (url, content) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        var earlier = await _home.OpenStore().OpenWriterAsync(StagingKey.Of(transfer), Stop);
        node.Catalogue.After = async change =>
        {
            if (change.Moving() is { State: TransferState.Retrying, Failure.Code: "writer-busy", Fruitless: 3 })
                await earlier.DisposeAsync();
        };
        await node.RunAsync(transfer);
        await node.AssertActiveAsync(image, content);
    }

    [Fact]
    public async Task Beside_a_writer_that_never_lets_go_an_import_begins_anew()
    {
        var (url, content) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await using (var stopped = await _home.OpenStore().OpenWriterAsync(StagingKey.Of(transfer), Stop))
        {
            await stopped.WriteAsync(new byte[100], Stop);
            await node.RunAsync(transfer);
            await node.AssertActiveAsync(image, content);
            Assert.Equal(1, (await node.TransferAsync(transfer)).StagingTurn);
            await node.SweepAsync(); // what is held is left alone
            Assert.Equal(100, stopped.Length);
        }

        await node.AssertSweptAsync(content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_catalogue_that_is_away_for_a_moment_delays_the_import_and_no_more(bool isStoredAllTheSame)
    {
        await using var node = await _home.StartAsync();
        for (var nth = 1; nth <= 9; nth++)
        {
            var (url, content) = _home.Publish(2 * Block, seed: nth);
            _home.Source.BeforeRead = (_, _) =>
            {
                _home.Clock.Advance(TimeSpan.FromMilliseconds(600));
                return ValueTask.CompletedTask;
            };
            var (image, transfer) = await node.ImportAsync(url);
            var (saves, given) = (0, _home.Source.Given);
            Func<CatalogueChange, Task> fail = _ => ++saves == nth ? throw new AwayException() : Task.CompletedTask;
            node.Catalogue.Before = isStoredAllTheSame ? Nothing : fail;
            node.Catalogue.After = isStoredAllTheSame ? fail : Nothing;
            await node.RunAsync(transfer);
            await node.AdoptAsync();
            await node.AssertActiveAsync(image, content);
            Assert.Equal(2 * Block, _home.Source.Given - given);
            (node.Catalogue.Before, node.Catalogue.After) = (Nothing, Nothing);
        }

        static Task Nothing(CatalogueChange change) => Task.CompletedTask;
    }

    [Fact]
    public async Task What_could_not_be_recorded_is_found_as_abandoned_and_carried_on()
    {
        var (url, content) = _home.Publish(12 * Block);
        _home.Source.BeforeRead = (_, _) =>
        {
            _home.Clock.Advance(TimeSpan.FromMilliseconds(300));
            return ValueTask.CompletedTask;
        };
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        var saves = 0;
        node.Catalogue.Before = _ => ++saves >= 5 ? throw new AwayException() : Task.CompletedTask;
        await Assert.ThrowsAsync<AwayException>(() => node.RunAsync(transfer));
        var left = await node.TransferAsync(transfer);
        Assert.Equal((TransferState.Running, node.Instance), (left.State, left.Node));
        Assert.True(node.Runner.HasAbandoned(left));

        node.Catalogue.Before = _ => Task.CompletedTask;
        await node.AdoptAsync();
        await node.AssertActiveAsync(image, content);
        Assert.Equal(12 * Block, _home.Source.Given);
    }

    [Fact]
    public async Task What_is_worked_on_is_not_abandoned()
    {
        var (url, _) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (_, transfer) = await node.ImportAsync(url);
        var abandoned = new List<bool>();
        node.Catalogue.After = async _ => abandoned.Add(node.Runner.HasAbandoned(await node.TransferAsync(transfer)));
        await node.RunAsync(transfer);
        Assert.NotEmpty(abandoned);
        Assert.DoesNotContain(true, abandoned);
    }

    [Fact]
    public async Task A_node_that_stops_puts_its_transfers_back_and_the_next_fetches_the_rest()
    {
        var (url, content) = _home.Publish(12 * Block);
        using var stop = new CancellationTokenSource();
        _home.Source.BeforeRead = async (offset, token) =>
        {
            if (offset == 6 * Block)
                await stop.CancelAsync();
            token.ThrowIfCancellationRequested();
        };
        var first = await _home.StartAsync();
        var (image, transfer) = await first.ImportAsync(url);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.Runner.RunAsync(transfer, stop.Token));
        var released = await first.TransferAsync(transfer);
        Assert.Equal((TransferState.Queued, null, 6 * Block), (released.State, released.Node, released.Moved));
        await first.DisposeAsync();

        _home.Source.BeforeRead = (_, _) => ValueTask.CompletedTask;
        await using var next = await _home.StartAsync();
        await next.AdoptAsync();
        await next.AssertActiveAsync(image, content);
        Assert.Equal(12 * Block, _home.Source.Given);
    }

    [Fact]
    public async Task A_node_that_stops_while_it_verifies_loses_nothing()
    {
        var (url, content) = _home.Publish(Size);
        foreach (var at in new[] { "verifying checking", "verifying storing" })
        {
            using var stop = new CancellationTokenSource();
            await using var node = await _home.StartAsync();
            var (image, transfer) = await node.ImportAsync(url, allowDuplicate: true);
            node.Catalogue.After = change => change.Moving() is { } saved && Word(saved) == at ? stop.CancelAsync() : Task.CompletedTask;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.Runner.RunAsync(transfer, stop.Token));
            Assert.Equal(TransferState.Queued, (await node.TransferAsync(transfer)).State);

            var before = _home.Source.Given;
            await node.AdoptAsync();
            await node.AssertActiveAsync(image, content);
            Assert.Equal(before, _home.Source.Given);
        }
    }

    [Fact]
    public async Task A_transfer_belongs_to_a_living_node_and_is_taken_over_from_a_silent_one()
    {
        var (url, content) = _home.Publish(12 * Block);
        await using var slow = await _home.StartAsync("node-1");
        await using var other = await _home.StartAsync("node-2");
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _home.Source.BeforeRead = (offset, _) =>
        {
            if (offset != 6 * Block || !stalled.TrySetResult())
                return ValueTask.CompletedTask;
            return new ValueTask(goOn.Task);
        };
        var (image, transfer) = await slow.ImportAsync(url);
        var running = slow.RunAsync(transfer);
        await stalled.Task;

        await other.RunAsync(transfer);
        Assert.Equal(slow.Instance, (await other.TransferAsync(transfer)).Node);

        // Silent for too long: taken for dead. It still has the writer, so the other waits, and it finds that it has lost.
        _home.Clock.Advance(TimeSpan.FromMinutes(1));
        await other.BeatAsync();
        var busy = 0;
        other.Catalogue.After = change =>
        {
            if (change.Moving() is { Failure.Code: "writer-busy" } && ++busy == 2)
                goOn.TrySetResult();
            return running.IsCompleted || busy < 2 ? Task.CompletedTask : running;
        };
        await other.RunAsync(transfer);
        goOn.TrySetResult();
        await running;
        await other.AssertActiveAsync(image, content);
        Assert.Equal("node-2", (await other.TransferAsync(transfer)).NodeName);
        await other.AssertSweptAsync(content);
    }

    [Fact]
    public async Task A_user_may_change_the_description_at_every_moment_of_an_import()
    {
        var (url, content) = _home.Publish(12 * Block);
        _home.Source.BeforeRead = (_, _) =>
        {
            _home.Clock.Advance(TimeSpan.FromMilliseconds(300));
            return ValueTask.CompletedTask;
        };
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        var changes = 0;
        node.Catalogue.Before = async change =>
        {
            if (change.Moving() is not null && changes < 40)
                await node.Library.UpdateAsync(image, Caller, i => i with { Description = $"change {++changes}" }, Stop);
        };
        await node.RunAsync(transfer);
        node.Catalogue.Before = _ => Task.CompletedTask;
        await node.AssertActiveAsync(image, content);
        Assert.Equal("change 40", (await node.ImageAsync(image)).Description);
    }

    [Fact]
    public async Task A_description_that_stops_fitting_in_the_last_moment_fails_the_import()
    {
        var (url, _) = _home.Publish(Size);
        _home.Source.Files[new Uri(url).AbsolutePath] = SampleImages.Iso();
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        node.Catalogue.After = async change =>
        {
            if (change.Moving() is { Content: not null, State: TransferState.Verifying })
                await node.Library.UpdateAsync(image, Caller, i => i with { Kind = ImageKind.Volume }, Stop);
        };
        await node.RunAsync(transfer);
        Assert.Equal("format-mismatch", (await node.TransferAsync(transfer)).Failure?.Code);
        await node.AssertSweptAsync();
    }

    [Fact]
    public async Task A_transfer_into_a_store_that_is_no_longer_configured_waits_and_says_so()
    {
        var (url, _) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.Catalogue.SaveAsync(new() { Transfers = [await node.TransferAsync(transfer) with { Store = "gone" }] }, Stop);
        await node.RunAsync(transfer);
        Assert.Equal(TransferState.Queued, (await node.TransferAsync(transfer)).State);
        Assert.Equal(ImageStatus.Importing, (await node.ImageAsync(image)).Status);
        Assert.Equal("No living node reaches the store 'gone'.", (await node.Desk.ExplainAsync(transfer, Caller, Stop)).Cause);
    }

    [Fact]
    public async Task An_address_that_can_no_longer_be_read_fails_the_import()
    {
        var (url, _) = _home.Publish(Size);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.Catalogue.SaveAsync(new() { Transfers = [await node.TransferAsync(transfer) with { SourceSecret = "spoilt" }] }, Stop);
        await node.RunAsync(transfer);
        Assert.Equal("internal", (await node.TransferAsync(transfer)).Failure?.Code);
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
    }

    [Fact]
    public async Task A_source_that_gives_up_by_itself_is_not_taken_for_the_nodes_end()
    {
        var (url, _) = _home.Publish(Size);
        _home.Source.BeforeRead = (_, _) => throw new OperationCanceledException("a timeout of the source's own");
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(url);
        await node.RunAsync(transfer);
        Assert.Equal((TransferState.Failed, ImageStatus.Failed), ((await node.TransferAsync(transfer)).State, (await node.ImageAsync(image)).Status));
    }

    [Fact]
    public async Task An_address_that_is_refused_registers_nothing()
    {
        await using var node = await _home.StartAsync();
        await Assert.ThrowsAsync<SourceException>(() => node.ImportAsync("http://refused.test/a"));
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.ImportAsync("file:///etc/passwd"));
        Assert.Empty(await node.Transfers.ListAsync(new TransferQuery(), Stop));
    }

    [Fact]
    public async Task Where_one_mirror_breaks_off_another_goes_on_in_the_same_attempt()
    {
        var (url, content) = _home.Publish(Size);
        _home.Source.Files["/mirror"] = content;
        _home.Source.Cuts.Enqueue(100_000);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.Imports.RegisterAsync(
            new ImportRequest(url, Expected: null, Store: null, AllowDuplicate: false) { Mirrors = ["http://source.test/mirror"] },
            LibraryHome.Caller, i => i with { Name = "an image" }, Stop);
        await node.RunAsync(transfer.Id);

        await node.AssertActiveAsync(image.Id, content);
        Assert.Equal([0, 100_000], _home.Source.AskedFrom);
        Assert.Equal((Size, Size, 1), Counted(await node.TransferAsync(transfer.Id)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_publishers_checksum_is_found_and_held_against_the_bytes(bool right)
    {
        var (url, content) = _home.Publish(Size);
        var sum = right ? Digest.Of(content).Hex : new string('0', 64);
        _home.Source.Files["/SHA256SUMS"] = System.Text.Encoding.UTF8.GetBytes($"{sum} *{new Uri(url).Segments[^1]}\n");
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.Imports.RegisterAsync(
            new ImportRequest(url, Expected: null, Store: null, AllowDuplicate: false) { FindChecksum = true },
            LibraryHome.Caller, i => i with { Name = "an image" }, Stop);
        Assert.Contains("SHA256SUMS", Assert.Single(transfer.Notes));

        await node.RunAsync(transfer.Id);
        Assert.Equal(right ? ImageStatus.Active : ImageStatus.Failed, (await node.ImageAsync(image.Id)).Status);
    }

    [Fact]
    public async Task Without_a_published_checksum_nothing_is_registered()
    {
        var (url, _) = _home.Publish(Size);
        await using var node = await _home.StartAsync();

        await Assert.ThrowsAsync<ChecksumNotPublishedException>(() => node.Imports.RegisterAsync(
            new ImportRequest(url, Expected: null, Store: null, AllowDuplicate: false) { FindChecksum = true },
            LibraryHome.Caller, i => i with { Name = "an image" }, Stop));
        Assert.Empty(await node.Transfers.ListAsync(new TransferQuery(), Stop));
    }

    private static List<string> Watch(LibraryNode node)
    {
        var states = new List<string>();
        node.Catalogue.After = change =>
        {
            if (change.Moving() is { } saved && states.LastOrDefault() != Word(saved))
                states.Add(Word(saved));
            return Task.CompletedTask;
        };
        return states;
    }

    private static string Word(Transfer transfer) => $"{transfer.State.Word()} {transfer.Step}";

    private static (long Moved, long Fetched, int Attempts) Counted(Transfer transfer) => (transfer.Moved, transfer.Fetched, transfer.Attempt);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private sealed class AwayException() : DbException("The database is away.");
}
