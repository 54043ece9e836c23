using System.Collections.Concurrent;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>What is freed, and what never is, while everything else goes on.</summary>
public sealed class SweepTests : IDisposable
{
    private readonly LibraryHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Content_between_its_commit_and_its_replica_is_not_swept()
    {
        var (url, content) = _home.Publish(Block);
        PausedStore? paused = null;
        await using var node = await _home.StartAsync(store: real => paused = new PausedStore(real));
        var gate = paused!.Pause(StoreCall.Committed);
        var (image, transfer) = await node.ImportAsync(url);
        var running = node.RunAsync(transfer);
        await gate.Reached;

        Assert.Equal(default, await node.SweepAsync());
        Assert.False(await node.Sweeper.TryRemoveAsync(Main, Digest.Of(content), Stop));
        gate.Open();
        await running;
        await node.AssertActiveAsync(image, content);
    }

    [Fact]
    public async Task Content_that_is_being_removed_is_waited_for_and_then_committed_anew()
    {
        var (url, content) = _home.Publish(Block);
        PausedStore? paused = null;
        await using var node = await _home.StartAsync(store: real => paused = new PausedStore(real));
        var old = await node.NewImageAsync();
        await node.ReceiveAsync(old, content);

        var gate = paused!.Pause(StoreCall.Delete);
        var deletion = node.Library.DeleteAsync(old, Caller, Stop);
        await gate.Reached;
        Assert.False(await node.Sweeper.TryRemoveAsync(Main, Digest.Of(content), Stop));
        var (image, transfer) = await node.ImportAsync(url);

        // Nobody but the refused claim waits for time to pass.
        var before = _home.Clock.GetUtcNow();
        var running = node.RunAsync(transfer);
        while (_home.Clock.GetUtcNow() == before && !running.IsCompleted)
            await Task.Yield();
        Assert.False(running.IsCompleted);

        gate.Open();
        await deletion;
        await running;
        await node.AssertActiveAsync(image, content);
    }

    [Fact]
    public async Task Content_that_could_not_be_removed_at_once_is_removed_by_the_sweep()
    {
        FaultyStore? faulty = null;
        var (_, content) = _home.Publish(Block);
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, content);
        faulty!.On(StoreCall.Delete).Throw(() => new StoreUnavailableException(Main, "the test wants it.")).Times(1);
        await node.Library.DeleteAsync(image, Caller, Stop);
        Assert.Equal(ImageStatus.Deleted, (await node.ImageAsync(image)).Status);
        Assert.Equal(new SweepResult(1, 0, Block), await node.SweepAsync());
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task A_reader_that_is_open_reads_on_when_its_image_is_deleted()
    {
        var (_, content) = _home.Publish(Block);
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, content);
        await using var reader = (await node.Downloads.OpenAsync(image, Caller, Stop)).Reader;
        await node.Library.DeleteAsync(image, Caller, Stop);
        await node.AssertSweptAsync();

        var read = new byte[Block];
        for (var at = 0; at < Block;)
            at += await reader.ReadAsync(at, read.AsMemory(at), Stop);
        Assert.Equal(content, read);
    }

    [Fact]
    public async Task One_writer_that_is_open_does_not_end_the_sweep()
    {
        await using var node = await _home.StartAsync();
        var store = _home.OpenStore();
        var writers = new List<ContentWriter>();
        foreach (var busy in new[] { true, false, true, false })
        {
            var writer = await store.OpenWriterAsync(StagingKey.Of(TransferId.New()), Stop);
            await writer.WriteAsync(new byte[10], Stop);
            if (busy)
                writers.Add(writer);
            else
                await writer.DisposeAsync();
        }

        Assert.Equal(new SweepResult(0, 2, 20), await node.SweepAsync());
        foreach (var writer in writers)
            await writer.DisposeAsync();
        Assert.Equal(new SweepResult(0, 2, 20), await node.SweepAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_is_done_at_once_the_store_ends_with_what_the_images_refer_to(int seed)
    {
        var files = Enumerable.Range(0, 5).Select(i => _home.Publish(Block / 2 * (i + 1) + i, seed: 100 * seed + i)).ToArray();
        await using var one = await _home.StartAsync("node-1");
        await using var two = await _home.StartAsync("node-2");
        var images = new ConcurrentDictionary<ImageId, byte[]>();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(
            () => WorkAsync(worker % 2 == 0 ? one : two, files, images, new Random(1000 * seed + worker)), Stop)));

        // What was left in the middle is carried on, and what never became active is deleted.
        await one.Uploads.TidyAsync(Stop);
        await two.Uploads.TidyAsync(Stop);
        await one.AdoptAsync();
        await two.AdoptAsync();
        var kept = new List<byte[]>();
        foreach (var (id, content) in images)
        {
            if ((await one.ImageAsync(id)).Status is ImageStatus.Active)
            {
                await one.AssertActiveAsync(id, content);
                kept.Add(content);
            }
            else if ((await one.ImageAsync(id)).Status is not ImageStatus.Deleted)
            {
                await one.Library.DeleteAsync(id, Caller, Stop);
            }
        }

        await one.Uploads.TidyAsync(Stop);
        await two.Uploads.TidyAsync(Stop);
        _home.Clock.Advance(IReplicaCatalogue.RemovalPatience);
        await one.AssertSweptAsync([.. kept]);
    }

    private static async Task WorkAsync(
        LibraryNode node, (string Url, byte[] Content)[] files, ConcurrentDictionary<ImageId, byte[]> images, Random random)
    {
        for (var i = 0; i < 15; i++)
        {
            var (url, content) = files[random.Next(files.Length)];
            try
            {
                await (random.Next(8) switch
                {
                    0 or 1 => ImportAsync(node, url, content, images),
                    2 => UploadAsync(node, content, images, isWhole: true),
                    3 => UploadAsync(node, content, images, isWhole: false),
                    4 => ReceiveAsync(node, content, images),
                    5 or 6 => DeleteOneAsync(node, images, random),
                    _ => node.SweepAsync(),
                });
            }
            catch (LibraryException)
            {
                // Somebody else deleted, cancelled or changed it in the same moment.
            }
        }
    }

    private static async Task ImportAsync(LibraryNode node, string url, byte[] content, ConcurrentDictionary<ImageId, byte[]> images)
    {
        var (image, transfer) = await node.ImportAsync(url, allowDuplicate: true);
        images[image] = content;
        await node.RunAsync(transfer);
    }

    private static async Task UploadAsync(LibraryNode node, byte[] content, ConcurrentDictionary<ImageId, byte[]> images, bool isWhole)
    {
        var image = await node.NewImageAsync();
        images[image] = content;
        var upload = await node.BeginAsync(image, content.Length);
        await node.AppendAsync(upload.Id, 0, content.AsMemory(0, 1000));
        if (isWhole)
            await node.AppendAsync(upload.Id, 1000, content.AsMemory(1000));
    }

    private static async Task ReceiveAsync(LibraryNode node, byte[] content, ConcurrentDictionary<ImageId, byte[]> images)
    {
        var image = await node.NewImageAsync();
        images[image] = content;
        await node.ReceiveAsync(image, content);
    }

    private static async Task DeleteOneAsync(LibraryNode node, ConcurrentDictionary<ImageId, byte[]> images, Random random)
    {
        var ids = images.Keys.ToList();
        if (ids.Count > 0)
            await node.Library.DeleteAsync(ids[random.Next(ids.Count)], Caller, Stop);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
