using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing;
using Vitrine.Testing.Library;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>Uploads in one request and in many, over a real database and a real directory.</summary>
public sealed class UploadTests : IDisposable
{
    private const int Size = 2 * Block + 77;

    private readonly LibraryHome _home = new();
    private readonly byte[] _content = new byte[Size];

    public UploadTests() => new Random(5).NextBytes(_content);

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task An_upload_in_many_requests_is_active_with_the_last_byte_and_read_back_never_before()
    {
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        faulty!.On(StoreCall.ReadBack).Throw(new InvalidOperationException("What is open need not be read again."));
        var (image, upload) = await BeginAsync(node, Checksum.Parse(Digest.Of(_content).ToString()));
        Assert.Equal((ImageStatus.Saving, Size), ((await node.ImageAsync(image)).Status, (await node.ImageAsync(image)).Size));

        for (var at = 0; at < Size; at += 100_000)
        {
            Assert.Equal(at, (await FindOffsetAsync(node, upload)).Moved);
            if (at + 100_000 >= Size)
                faulty.Heal(); // the whole disk is looked at where it lies
            var after = await node.AppendAsync(upload, at, _content.AsMemory(at, Math.Min(100_000, Size - at)));
            Assert.Equal(at + 100_000 >= Size, after.IsOver);
        }

        await node.AssertActiveAsync(image, _content);
        await node.AssertSweptAsync(_content);
        await Assert.ThrowsAsync<TransferStateException>(() => node.AppendAsync(upload, Size, default));
    }

    [Fact]
    public async Task A_wrong_offset_is_refused_with_the_right_one_and_spoils_nothing()
    {
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        faulty!.On(StoreCall.ReadBack).Throw(new InvalidOperationException("What is open need not be read again."));
        var (image, upload) = await BeginAsync(node);
        await node.AppendAsync(upload, 0, _content.AsMemory(0, 1000));
        foreach (var wrong in new[] { 0, 999, 1001, Size })
        {
            var refusal = await Assert.ThrowsAsync<UploadOffsetException>(() => node.AppendAsync(upload, wrong, _content.AsMemory(0, 10)));
            Assert.Equal((1000, wrong), (refusal.Expected, refusal.Actual));
        }

        faulty.Heal();
        await node.AppendAsync(upload, 1000, _content.AsMemory(1000));
        await node.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task Of_two_requests_at_once_one_is_told_to_wait()
    {
        await using var node = await _home.StartAsync();
        var (image, upload) = await BeginAsync(node);
        var body = new Stalled(_content, after: 1000);
        var first = node.Uploads.AppendAsync(upload, 0, body.Stream, Caller, Stop);
        await body.Reached;
        await Assert.ThrowsAsync<UploadBusyException>(() => node.AppendAsync(upload, 0, _content));
        Assert.Equal(0, (await FindOffsetAsync(node, upload)).Moved);

        body.GoOn();
        Assert.Equal(TransferState.Done, (await first).State);
        await node.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task Many_who_send_the_same_bytes_at_once_make_one_image_without_a_byte_too_many()
    {
        await using var node = await _home.StartAsync();
        var (image, upload) = await BeginAsync(node);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            while ((await FindOffsetAsync(node, upload)) is { IsOver: false } found)
            {
                var count = (int)Math.Min(90_000, Size - found.Moved);
                var outcome = await Record.ExceptionAsync(() => node.AppendAsync(upload, found.Moved, _content.AsMemory((int)found.Moved, count)));
                Assert.True(outcome is null or UploadBusyException or UploadOffsetException or TransferStateException, $"{outcome}");
            }
        }));
        await node.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task After_a_restart_an_upload_goes_on_where_it_was()
    {
        ImageId image;
        TransferId upload;
        await using (var node = await _home.StartAsync())
        {
            (image, upload) = await BeginAsync(node);
            await node.AppendAsync(upload, 0, _content.AsMemory(0, Block + 5));
        }

        await using var next = await _home.StartAsync();
        await next.AdoptAsync();
        var found = await FindOffsetAsync(next, upload);
        Assert.Equal((TransferState.Queued, Block + 5), (found.State, found.Moved));
        await next.AppendAsync(upload, Block + 5, _content.AsMemory(Block + 5));
        await next.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task A_client_that_is_cut_off_goes_on_behind_its_last_byte()
    {
        await using var node = await _home.StartAsync();
        var (image, upload) = await BeginAsync(node);
        var body = new ScriptedStream(_content, (given, _) => given < 70_000 ? ValueTask.FromResult(70_000 - given) : throw new IOException("reset"));
        await Assert.ThrowsAsync<IOException>(() => node.Uploads.AppendAsync(upload, 0, body, Caller, Stop));
        Assert.Equal(70_000, (await FindOffsetAsync(node, upload)).Moved);

        using var gone = new CancellationTokenSource();
        var next = new ScriptedStream(_content.AsMemory(70_000), async (given, _) =>
        {
            if (given > 0)
                await gone.CancelAsync();
            gone.Token.ThrowIfCancellationRequested();
            return 50_000;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.Uploads.AppendAsync(upload, 70_000, next, Caller, gone.Token));
        Assert.Equal(120_000, (await FindOffsetAsync(node, upload)).Moved);
        await node.AppendAsync(upload, 120_000, _content.AsMemory(120_000));
        await node.AssertActiveAsync(image, _content);
    }

    [Theory]
    [InlineData("mismatch", "checksum-mismatch")]
    [InlineData("too much", "length-mismatch")]
    [InlineData("unsafe", "unsafe-feature")]
    public async Task Bytes_that_will_never_be_right_end_the_upload_and_leave_nothing(string what, string code)
    {
        await using var node = await _home.StartAsync();
        var bytes = what is "unsafe" ? SampleImages.Qcow2WithBackingFile("/etc/passwd") : _content;
        var image = await node.NewImageAsync();
        var upload = await node.BeginAsync(
            image, what is "too much" ? bytes.Length - 1 : bytes.Length, what is "mismatch" ? Checksum.Parse(new string('0', 64)) : null);
        var refusal = await Assert.ThrowsAnyAsync<LibraryException>(() => node.AppendAsync(upload.Id, 0, bytes));
        Assert.Equal(code, refusal.Code);
        Assert.Equal((TransferState.Failed, code), ((await node.TransferAsync(upload.Id)).State, (await node.TransferAsync(upload.Id)).Failure?.Code));
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        await node.AssertHoldsAsync();

        // The image takes another upload.
        await node.ReceiveAsync(image, _content);
        await node.AssertActiveAsync(image, _content);
    }

    [Theory]
    [InlineData(StoreCall.Write)]
    [InlineData(StoreCall.Flush)]
    public async Task A_full_store_ends_the_request_and_not_the_upload(StoreCall call)
    {
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        var (image, upload) = await BeginAsync(node);
        await node.AppendAsync(upload, 0, _content.AsMemory(0, 1000));
        faulty!.On(call).Throw(() => new StoreFullException(Main, 1, 0)).Times(1);
        await Assert.ThrowsAsync<StoreFullException>(() => node.AppendAsync(upload, 1000, _content.AsMemory(1000, 1000)));

        var found = await FindOffsetAsync(node, upload);
        Assert.Equal(call is StoreCall.Write ? 1000 : 2000, found.Moved);
        await node.AppendAsync(upload, found.Moved, _content.AsMemory((int)found.Moved));
        await node.AssertActiveAsync(image, _content);
    }

    [Theory]
    [InlineData(StoreCall.Commit)]
    [InlineData(StoreCall.Committed)]
    public async Task A_store_that_is_away_at_the_commit_costs_the_client_nothing(StoreCall call)
    {
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        faulty!.On(call).Throw(() => new StoreUnavailableException(Main, "the test wants it.")).Times(1);
        var (image, upload) = await BeginAsync(node);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => node.AppendAsync(upload, 0, _content));
        Assert.Equal(Size, (await FindOffsetAsync(node, upload)).Moved);

        // To the client the upload looks complete, so the node has to end it.
        await node.AdoptAsync();
        await node.AssertActiveAsync(image, _content);
        await node.AssertSweptAsync(_content);
    }

    [Fact]
    public async Task A_client_may_send_the_empty_rest_after_a_commit_that_failed()
    {
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        faulty!.On(StoreCall.Committed).Throw(() => new StoreUnavailableException(Main, "the test wants it.")).Times(1);
        var (image, upload) = await BeginAsync(node);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => node.AppendAsync(upload, 0, _content));
        Assert.Equal(TransferState.Done, (await node.AppendAsync(upload, Size, default)).State);
        await node.AssertActiveAsync(image, _content);
        await node.AssertSweptAsync(_content);
    }

    [Fact]
    public async Task A_client_that_comes_to_another_node_goes_on_there_after_a_beat()
    {
        await using var first = await _home.StartAsync("node-1");
        await using var second = await _home.StartAsync("node-2");
        var (image, upload) = await BeginAsync(first);
        await first.AppendAsync(upload, 0, _content.AsMemory(0, 1000));
        await Assert.ThrowsAsync<UploadBusyException>(() => second.AppendAsync(upload, 1000, _content.AsMemory(1000)));

        await first.Uploads.TidyAsync(Stop);
        await second.AppendAsync(upload, 1000, _content.AsMemory(1000, 1000));
        await Assert.ThrowsAsync<UploadBusyException>(() => first.AppendAsync(upload, 2000, _content.AsMemory(2000)));
        await second.Uploads.TidyAsync(Stop);
        await first.AppendAsync(upload, 2000, _content.AsMemory(2000));
        await first.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task An_upload_that_stands_still_is_closed_and_one_that_moves_is_not()
    {
        await using var node = await _home.StartAsync();
        var (_, upload) = await BeginAsync(node);
        await node.AppendAsync(upload, 0, _content.AsMemory(0, 1000));
        await node.Uploads.TidyAsync(Stop);
        await Assert.ThrowsAsync<WriterBusyException>(() => _home.OpenStore().OpenWriterAsync(StagingKey.Of(upload), Stop));

        _home.Clock.Advance(TimeSpan.FromSeconds(60));
        await node.Uploads.TidyAsync(Stop);
        await using (var writer = await _home.OpenStore().OpenWriterAsync(StagingKey.Of(upload), Stop))
            Assert.Equal(1000, writer.Length);
        await node.AppendAsync(upload, 1000, _content.AsMemory(1000));
    }

    [Fact]
    public async Task An_upload_whose_client_never_came_back_is_given_up()
    {
        await using var node = await _home.StartAsync();
        var (image, upload) = await BeginAsync(node);
        await node.AppendAsync(upload, 0, _content.AsMemory(0, 1000));
        var (silent, neverBegun) = await BeginAsync(node);
        _home.Clock.Advance(TimeSpan.FromHours(24) + TimeSpan.FromSeconds(1));
        await node.Uploads.TidyAsync(Stop);
        foreach (var (i, t) in new[] { (image, upload), (silent, neverBegun) })
        {
            Assert.Equal("upload-expired", (await node.TransferAsync(t)).Failure?.Code);
            Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(i)).Status);
        }

        await node.AssertHoldsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_cancelled_or_deleted_between_two_requests_is_gone_after_a_beat(bool deleted)
    {
        await using var node = await _home.StartAsync();
        var (image, upload) = await BeginAsync(node);
        await node.AppendAsync(upload, 0, _content.AsMemory(0, 1000));
        await EndAsync(node, image, upload, deleted);

        // A sweep that comes first finds the writer open, and goes on to the rest.
        await node.SweepAsync();
        await node.Uploads.TidyAsync(Stop);
        await node.AssertHoldsAsync();
        await Assert.ThrowsAsync<TransferStateException>(() => node.AppendAsync(upload, 1000, _content.AsMemory(1000)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_cancelled_or_deleted_while_it_is_sent_ends_within_a_second_of_bytes(bool deleted)
    {
        await using var node = await _home.StartAsync();
        var (image, upload) = await BeginAsync(node);
        var given = 0;
        var body = new ScriptedStream(_content, async (count, _) =>
        {
            given = count;
            _home.Clock.Advance(TimeSpan.FromMilliseconds(500));
            if (count == 100_000)
                await EndAsync(node, image, upload, deleted);
            return 20_000;
        });
        await Assert.ThrowsAsync<TransferLostException>(() => node.Uploads.AppendAsync(upload, 0, body, Caller, Stop));
        Assert.InRange(given, 100_000, 140_000);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task An_upload_in_one_request_is_active_when_it_returns()
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, _content);
        await node.AssertActiveAsync(image, _content);
        await Assert.ThrowsAsync<ImageStatusException>(() => node.ReceiveAsync(image, _content));
        await node.AssertSweptAsync(_content);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("gone")]
    [InlineData("gone at once")]
    public async Task A_client_that_goes_away_in_its_only_request_leaves_a_failed_image_and_nothing_else(string how)
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        using var gone = new CancellationTokenSource();
        node.Catalogue.After = change => how is "gone at once" && change.Moving() is not null ? gone.CancelAsync() : Task.CompletedTask;
        var body = new ScriptedStream(_content, async (given, _) =>
        {
            _home.Clock.Advance(TimeSpan.FromSeconds(1));
            if (given < 1000)
                return 1000;
            if (how is "cut")
                throw new IOException("reset");

            await gone.CancelAsync();
            gone.Token.ThrowIfCancellationRequested();
            return 0;
        });
        var failure = await Record.ExceptionAsync(() => node.Uploads.ReceiveAsync(image, body, Size, store: null, Caller, gone.Token));
        Assert.True(failure is IOException or OperationCanceledException, $"{failure}");

        var failed = await node.ImageAsync(image);
        Assert.Equal(ImageStatus.Failed, failed.Status);
        Assert.Equal("upload-interrupted", (await node.TransferAsync(failed.Transfer!.Value)).Failure?.Code);
        Assert.Empty(await node.Replicas.ListAsync([image], Stop));
        await node.AssertHoldsAsync();

        node.Catalogue.After = _ => Task.CompletedTask;
        await node.ReceiveAsync(image, _content);
        await node.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task Deleting_an_image_during_its_only_request_ends_it_and_leaves_nothing()
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        var body = new ScriptedStream(_content, async (given, _) =>
        {
            _home.Clock.Advance(TimeSpan.FromMilliseconds(500));
            if (given == 100_000)
                await node.Library.DeleteAsync(image, Caller, Stop);
            return 20_000;
        });
        await Assert.ThrowsAsync<TransferLostException>(() => node.Uploads.ReceiveAsync(image, body, Size, store: null, Caller, Stop));
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task What_is_too_large_is_refused_on_every_way_in()
    {
        await using var node = await _home.StartAsync(options: new LibraryOptions { MaxImageSize = Size - 1 });
        var image = await node.NewImageAsync();
        await Assert.ThrowsAsync<LimitExceededException>(() => node.BeginAsync(image, Size));
        await Assert.ThrowsAsync<LimitExceededException>(() => node.ReceiveAsync(image, _content));
        await Assert.ThrowsAsync<LimitExceededException>(
            () => node.Uploads.ReceiveAsync(image, new ScriptedStream(_content), length: null, store: null, Caller, Stop));
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        await node.AssertHoldsAsync();
    }

    private static Task EndAsync(LibraryNode node, ImageId image, TransferId upload, bool deleted) =>
        deleted ? node.Library.DeleteAsync(image, Caller, Stop) : node.Desk.CancelAsync(upload, Caller, Stop);

    private static async Task<(ImageId Image, TransferId Upload)> BeginAsync(LibraryNode node, Checksum? expected = null)
    {
        var image = await node.NewImageAsync();
        return (image, (await node.BeginAsync(image, Size, expected)).Id);
    }

    private static Task<Transfer> FindOffsetAsync(LibraryNode node, TransferId upload) => node.Uploads.FindOffsetAsync(upload, Caller, Stop);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A client that pauses until the test says go.</summary>
    private sealed class Stalled
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Stalled(byte[] bytes, int after) => Stream = new ScriptedStream(bytes, async (given, _) =>
        {
            if (given < after)
                return after - given;

            _reached.TrySetResult();
            await _goOn.Task;
            return int.MaxValue;
        });

        public ScriptedStream Stream { get; }
        public Task Reached => _reached.Task;

        public void GoOn() => _goOn.TrySetResult();
    }
}
