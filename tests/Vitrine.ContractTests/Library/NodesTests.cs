using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Testing.Library;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>Several nodes on one catalogue, of which not all reach the same stores, and what each takes on.</summary>
public sealed class NodesTests : IDisposable
{
    private const string Second = "second";
    private const int Size = 8 * LibraryHome.Block;

    private static readonly Caller Admin = LibraryHome.Caller with { Roles = new HashSet<string> { RoleNames.Admin } };

    private readonly LibraryHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task An_import_into_a_store_that_only_another_node_reaches_is_left_to_it()
    {
        var (url, _) = _home.Publish(Size);
        await using var here = await _home.StartAsync("here");
        await using var there = await _home.StartAsync("there", others: [Second]);
        var (_, transfer) = await here.Imports.RegisterAsync(
            new ImportRequest(url, null, StoreChoice.Of(Second), AllowDuplicate: false), LibraryHome.Caller, i => i with { Name = "far" }, Stop);

        await here.RunAsync(transfer.Id);
        Assert.Equal((TransferState.Queued, 0), (await here.TransferAsync(transfer.Id) is var t ? (t.State, t.Fence) : default));
        Assert.Empty(await here.Queue.ListDueAsync(Stop));
        Assert.Null((await here.Desk.ExplainAsync(transfer.Id, LibraryHome.Caller, Stop)).Cause);

        Assert.Equal(transfer.Id, Assert.Single(await there.Queue.ListDueAsync(Stop)).Id);
        await there.RunAsync(transfer.Id);
        Assert.Equal((TransferState.Done, "there"), (await here.TransferAsync(transfer.Id) is var done ? (done.State, done.NodeName) : default));
    }

    [Fact]
    public async Task That_no_living_node_reaches_a_store_is_said_when_somebody_asks_and_no_longer_when_one_does()
    {
        var (url, _) = _home.Publish(Size);
        await using var here = await _home.StartAsync("here");
        TransferId id;
        await using (var there = await _home.StartAsync("there", others: [Second]))
        {
            id = (await here.Imports.RegisterAsync(
                new ImportRequest(url, null, StoreChoice.Of(Second), AllowDuplicate: false), LibraryHome.Caller, i => i with { Name = "far" }, Stop)).Transfer.Id;
        }

        _home.Clock.Advance(Node.Patience);
        await here.BeatAsync();
        var wait = Assert.Single(await here.Desk.FindWaitsAsync([await here.TransferAsync(id)], Stop)).Value;
        Assert.Equal(("store-unreached", "No living node reaches the store 'second'."), (wait.Code, wait.Cause));

        await using var again = await _home.StartAsync("there", others: [Second]);
        Assert.Empty(await here.Desk.FindWaitsAsync([await here.TransferAsync(id)], Stop));
    }

    [Fact]
    public async Task An_import_of_what_is_staged_is_taken_by_a_node_that_reaches_both_its_ends()
    {
        await using var here = await _home.StartAsync("here");
        Transfer import;
        await using (var both = await _home.StartAsync("both", others: [Second]))
        {
            var image = await both.NewImageAsync();
            await both.Uploads.StageAsync(image, new ScriptedStream(new byte[Size]), Size, LibraryHome.Caller, Stop);
            await both.Uploads.ImportStagedAsync(image, StoreChoice.Of(Second), "request", LibraryHome.Caller, Stop);

            // The other way round, as where another store was the default one when it was staged.
            var queued = await both.TransferAsync((await both.ImageAsync(image)).Transfer!.Value);
            import = queued with { Store = queued.SourceStore!, SourceStore = queued.Store };
            await both.Catalogue.SaveAsync(new CatalogueChange { Transfers = [import] }, Stop);
            await both.Store.DiscardAsync(StagingKey.Of(import.Id), Stop);
        }

        await here.RunAsync(import.Id);
        Assert.Equal((TransferState.Queued, null), (await here.TransferAsync(import.Id) is var t ? (t.State, t.Failure?.Cause) : default));
        Assert.Empty(await here.Queue.ListDueAsync(Stop));
        _home.Clock.Advance(Node.Patience);
        await here.BeatAsync();
        Assert.Equal("store-unreached", Assert.Single(await here.Desk.FindWaitsAsync([await here.TransferAsync(import.Id)], Stop)).Value.Code);
    }

    [Fact]
    public async Task A_copy_is_taken_by_a_node_that_reaches_both_its_ends()
    {
        var (url, content) = _home.Publish(Size);
        await using var here = await _home.StartAsync("here");
        await using var both = await _home.StartAsync("both", others: [Second]);
        var (image, transfer) = await here.ImportAsync(url);
        await here.RunAsync(transfer);
        var copy = Assert.Single(await here.Copies.CopyAsync(image, new CopyRequest(StoreChoice.Of(Second)!), LibraryHome.Caller, Stop));

        await here.RunAsync(copy.Id);
        Assert.Equal(TransferState.Queued, (await here.TransferAsync(copy.Id)).State);
        await both.RunAsync(copy.Id);
        Assert.Equal(TransferState.Done, (await here.TransferAsync(copy.Id)).State);

        // Each describes the image where it reaches it, and has done then.
        await here.DescribeAsync();
        Assert.Empty(await here.Descriptions.ListUndescribedAsync(LibraryHome.Main, null, 10, Stop));
        Assert.Equal([image], await here.Descriptions.ListUndescribedAsync(Second, null, 10, Stop));
        await both.DescribeAsync();
        Assert.Empty(await here.Descriptions.ListUndescribedAsync(Second, null, 10, Stop));

        // What is deleted here is freed there by the next sweep.
        await here.Library.DeleteAsync(image, LibraryHome.Caller, Stop);
        Assert.Equal(new SweepResult(1, 0, content.Length), await both.SweepAsync());
    }

    [Fact]
    public async Task An_upload_into_a_store_of_another_node_is_begun_here_and_sent_there()
    {
        await using var here = await _home.StartAsync("here");
        await using var there = await _home.StartAsync("there", others: [Second]);
        var upload = await here.Uploads.BeginAsync(await here.NewImageAsync(), 3, null, StoreChoice.Of(Second), LibraryHome.Caller, Stop);
        Assert.Equal(0, (await here.Uploads.FindOffsetAsync(upload.Id, LibraryHome.Caller, Stop)).Moved);
        await Assert.ThrowsAsync<StoreElsewhereException>(() => here.AppendAsync(upload.Id, 0, new byte[] { 1, 2, 3 }));
        Assert.Equal(TransferState.Done, (await there.AppendAsync(upload.Id, 0, new byte[] { 1, 2, 3 })).State);
    }

    [Fact]
    public async Task A_node_that_is_drained_gives_back_what_runs_and_another_goes_on_from_there()
    {
        var (url, content) = _home.Publish(Size);
        await using var here = await _home.StartAsync("here");
        await using var other = await _home.StartAsync("other");
        var halfway = new TaskCompletionSource();
        _home.Source.BeforeRead = async (offset, token) =>
        {
            if (offset < Size / 2 || halfway.Task.IsCompleted)
                return;
            halfway.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        };
        var (image, transfer) = await here.ImportAsync(url);
        var running = here.RunAsync(transfer);
        await halfway.Task;

        here.Duty.Obey(NodeMode.Draining);
        await running;
        var given = await here.TransferAsync(transfer);
        Assert.Equal((TransferState.Queued, null, (long)Size / 2), (given.State, given.Node, given.Moved));
        await here.RunAsync(transfer);
        Assert.Equal(given, await here.TransferAsync(transfer));
        Assert.Empty(await here.Queue.ListDueAsync(Stop));

        await other.RunAsync(transfer);
        await other.AssertActiveAsync(image, content);
        Assert.Equal([0, Size / 2], _home.Source.AskedFrom);

        here.Duty.Obey(NodeMode.Open);
        var (_, next) = await here.ImportAsync(_home.Publish(Size, seed: 2).Url);
        await here.RunAsync(next);
        Assert.Equal(TransferState.Done, (await here.TransferAsync(next)).State);
    }

    [Fact]
    public async Task An_upload_that_a_drained_node_had_goes_on_elsewhere()
    {
        await using var here = await _home.StartAsync("here");
        await using var other = await _home.StartAsync("other");
        var upload = await here.BeginAsync(await here.NewImageAsync(), 6);
        await here.AppendAsync(upload.Id, 0, new byte[] { 1, 2, 3 });
        here.Duty.Obey(NodeMode.Draining);
        Assert.Equal(new NodeLoad(1, 0), (await here.Nodes.MeasureLoadAsync(Stop))[here.Instance]);

        await here.Uploads.ReleaseAsync(Stop);
        Assert.DoesNotContain(here.Instance, await here.Nodes.MeasureLoadAsync(Stop));
        await Assert.ThrowsAsync<NodeDrainingException>(() => here.AppendAsync(upload.Id, 3, new byte[] { 4, 5, 6 }));
        await Assert.ThrowsAsync<NodeDrainingException>(async () => await here.ReceiveAsync(await here.NewImageAsync(), [1, 2, 3]));
        Assert.Equal(3, (await other.Uploads.FindOffsetAsync(upload.Id, LibraryHome.Caller, Stop)).Moved);
        Assert.Equal(TransferState.Done, (await other.AppendAsync(upload.Id, 3, new byte[] { 4, 5, 6 })).State);
    }

    [Fact]
    public async Task As_many_transfers_begin_as_the_limit_says_and_those_that_wait_say_why()
    {
        await using var node = await _home.StartAsync(options: new LibraryOptions { ConcurrentTransfers = 4, ConcurrentTransfersPerSource = null });
        for (var i = 0; i < 20; i++)
            await node.ImportAsync(_home.Publish(LibraryHome.Block, seed: i + 1).Url);
        Assert.Equal(4, (await node.Queue.ListDueAsync(Stop)).Count);

        await node.Limits.ChangeAsync([new LimitChange(LimitName.TransfersPerNode, 16)], Admin, Stop);
        Assert.Equal(16, (await node.Queue.ListDueAsync(Stop)).Count);

        await node.Limits.ChangeAsync([new LimitChange(LimitName.TransfersPerSource, 2)], Admin, Stop);
        var due = await node.Queue.ListDueAsync(Stop);
        Assert.Equal(2, due.Count);

        var all = await node.Transfers.ListAsync(new TransferQuery { OldestFirst = true }, Stop);
        foreach (var transfer in all.Take(2))
            await node.Catalogue.SaveAsync(new() { Transfers = [transfer.Take(node.Instance, "node-1", _home.Clock.Now())] }, Stop);
        await node.RunAsync(all[2].Id);
        Assert.Equal(TransferState.Queued, (await node.TransferAsync(all[2].Id)).State);
        Assert.Equal(
            "The limit transfers-per-source is 2 (imports that run at once from one host), and 2 run.",
            (await node.Desk.ExplainAsync(all[2].Id, LibraryHome.Caller, Stop)).Cause);
    }

    [Fact]
    public async Task A_node_looks_at_once_when_a_transfer_comes_or_goes_on_another()
    {
        await using var here = await _home.StartAsync("here");
        await using var there = await _home.StartAsync("there");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var following = there.Queue.FollowAsync(ending.Token);
        await WhenLookingAsync();

        var (_, transfer) = await here.ImportAsync(_home.Publish(LibraryHome.Block).Url);
        await WhenLookingAsync();
        Assert.Equal(transfer, Assert.Single(await there.Queue.ListDueAsync(Stop)).Id);

        await here.RunAsync(transfer);
        await WhenLookingAsync();
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);

        Task WhenLookingAsync() => there.Queue.WaitAsync(Timeout.InfiniteTimeSpan, Stop).WaitAsync(TimeSpan.FromMinutes(1), Stop);
    }

    [Fact]
    public async Task What_a_node_leaves_behind_at_the_limit_is_taken_up_by_the_next()
    {
        List<byte[]> contents = [];
        List<(ImageId Image, TransferId Transfer)> imports = [];
        await using (var gone = await _home.StartAsync("gone", options: new LibraryOptions { ConcurrentTransfersPerSource = 3 }))
        {
            for (var i = 0; i < 3; i++)
            {
                var (url, content) = _home.Publish(LibraryHome.Block, seed: i + 1);
                contents.Add(content);
                imports.Add(await gone.ImportAsync(url));
                var transfer = await gone.TransferAsync(imports[i].Transfer);
                await gone.Catalogue.SaveAsync(new() { Transfers = [transfer.Take(gone.Instance, "gone", _home.Clock.Now())] }, Stop);
            }
        }

        _home.Clock.Advance(Node.Patience);
        await using var next = await _home.StartAsync("next", options: new LibraryOptions { ConcurrentTransfersPerSource = 3 });
        var due = await next.Queue.ListDueAsync(Stop);
        Assert.Equal(3, due.Count);
        foreach (var transfer in due)
            await next.RunAsync(transfer.Id);
        for (var i = 0; i < 3; i++)
            await next.AssertActiveAsync(imports[i].Image, contents[i]);
    }

    [Fact]
    public async Task A_project_has_as_many_uploads_open_as_it_may()
    {
        await using var node = await _home.StartAsync(options: new LibraryOptions { OpenUploadsPerProject = 1 });
        var first = await node.BeginAsync(await node.NewImageAsync(), 3);
        var waiting = await node.NewImageAsync();
        await Assert.ThrowsAsync<TooManyUploadsException>(() => node.BeginAsync(waiting, 3));
        await node.AppendAsync(first.Id, 0, new byte[] { 1, 2, 3 });
        await node.BeginAsync(waiting, 3);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
