using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing;
using Vitrine.Testing.Library;
using static Vitrine.UnitTests.Content.IngestBench;

namespace Vitrine.UnitTests.Content;

public sealed class IngestTests
{
    private const long NoLimit = long.MaxValue;

    // One block is being written and eight wait for it; one was inspected and waits for them, eight wait for that; one waits to be
    // given, and one is being filled. Nothing that is read can go elsewhere.
    private const int MostOnTheWay = 20 * Block;

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, Block - 1)]
    [InlineData(false, Block)]
    [InlineData(false, Block + 1)]
    [InlineData(false, 2 * Block)]
    [InlineData(false, 40 * Block + 7)]
    [InlineData(true, 1)]
    [InlineData(true, Block)]
    [InlineData(true, 12 * Block - 1)]
    public async Task The_sums_are_those_of_the_platform_and_the_store_has_the_bytes(bool onDisk, int length)
    {
        using var bench = new IngestBench(onDisk);
        var bytes = Bytes(length);
        await using var ingest = await bench.OpenAsync(ChecksumAlgorithm.Sha1);
        await ingest.TakeAsync(new ScriptedStream(bytes), length, NoLimit, NoCheckpoint, Stop);
        var result = await ingest.FinishAsync(Stop);
        AssertSums(bytes, result);
        Assert.Equal(Convert.ToHexStringLower(SHA1.HashData(bytes)), result.Sums[ChecksumAlgorithm.Sha1]);

        await ingest.CommitAsync(result.Digest, Stop);
        Assert.Equal(bytes, await ReadAsync(bench.Real, result.Digest));
    }

    [Fact]
    public async Task It_does_not_matter_how_the_bytes_are_cut()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var bytes = Bytes(random.Next(1, 5 * Block), seed);
            var most = new[] { 10_000, Block - 1, Block, Block + 1, 3 * Block }[seed % 5];
            using var bench = new IngestBench();
            await using var ingest = await bench.OpenAsync();
            await ingest.TakeAsync(Choppy(bytes, random, most), bytes.Length, NoLimit, NoCheckpoint, Stop);
            AssertSums(bytes, await ingest.FinishAsync(Stop));
        }
    }

    [Fact]
    public async Task Content_that_comes_in_many_calls_has_the_sums_of_the_whole()
    {
        var bytes = Bytes(3 * Block + 11);
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        for (var given = 0; given < bytes.Length; given += 100_000)
        {
            var part = bytes.AsMemory(given, Math.Min(100_000, bytes.Length - given));
            await ingest.TakeAsync(new ScriptedStream(part), bytes.Length, NoLimit, NoCheckpoint, Stop);
            Assert.Equal(given + part.Length, ingest.Length);
            await ingest.FlushAsync(Stop);
        }

        AssertSums(bytes, await ingest.FinishAsync(Stop));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Block)]
    [InlineData(5 * Block + 3)]
    public async Task What_an_earlier_run_left_is_looked_at_again_and_gives_the_same_sums(int before)
    {
        var bytes = Bytes(before + 2 * Block + 1);
        using var bench = new IngestBench(onDisk: true);
        await using (var crashed = await bench.OpenAsync())
            await crashed.TakeAsync(new ScriptedStream(bytes.AsMemory(0, before)), bytes.Length, NoLimit, NoCheckpoint, Stop);

        await using var ingest = await bench.OpenAsync();
        await ingest.RereadAsync(Stop);
        Assert.Equal(before, ingest.Length);

        await ingest.TakeAsync(new ScriptedStream(bytes.AsMemory(before)), bytes.Length, NoLimit, NoCheckpoint, Stop);
        AssertSums(bytes, await ingest.FinishAsync(Stop));
    }

    [Fact]
    public async Task Content_that_begins_again_is_the_new_one_alone()
    {
        var bytes = Bytes(2 * Block + 5, seed: 2);
        using var bench = new IngestBench(onDisk: true);
        await using var ingest = await bench.OpenAsync();
        await ingest.TakeAsync(new ScriptedStream(Bytes(3 * Block)), null, NoLimit, NoCheckpoint, Stop);
        await ingest.RestartAsync(Stop);
        Assert.Equal(0, ingest.Length);

        await ingest.TakeAsync(new ScriptedStream(bytes), bytes.Length, NoLimit, NoCheckpoint, Stop);
        var result = await ingest.FinishAsync(Stop);
        AssertSums(bytes, result);
        await ingest.CommitAsync(result.Digest, Stop);
        Assert.Equal(bytes, await ReadAsync(bench.Real, result.Digest));
    }

    [Fact]
    public async Task An_ingest_whose_beginning_again_failed_can_still_be_closed()
    {
        using var bench = new IngestBench();
        bench.Store.On(StoreCall.Reset).Throw(new StoreUnavailableException("main", "the test wants it.")).Times(1);
        await using var ingest = await bench.OpenAsync();
        await ingest.TakeAsync(new ScriptedStream(Bytes(10)), null, NoLimit, NoCheckpoint, Stop);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ingest.RestartAsync(Stop));
        await ingest.FlushAsync(Stop);
    }

    [Fact]
    public async Task More_than_was_announced_is_refused()
    {
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        var refusal = await Assert.ThrowsAsync<ContentLengthException>(
            () => ingest.TakeAsync(new ScriptedStream(Bytes(3 * Block)), Block, NoLimit, NoCheckpoint, Stop));
        Assert.Equal(Block, refusal.Expected);
    }

    [Fact]
    public async Task More_than_the_limit_is_refused_soon_even_where_nothing_was_announced()
    {
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        var endless = new ScriptedStream(Bytes(100 * Block));
        await Assert.ThrowsAsync<LimitExceededException>(() => ingest.TakeAsync(endless, null, 2 * Block, NoCheckpoint, Stop));
        Assert.InRange(ingest.Length, 2 * Block + 1, 3 * Block);
    }

    [Fact]
    public async Task Less_than_was_announced_is_left_to_the_rules()
    {
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        await ingest.TakeAsync(new ScriptedStream(Bytes(5)), announced: 6, NoLimit, NoCheckpoint, Stop);
        Assert.Equal(5, (await ingest.FinishAsync(Stop)).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Block + 1)]
    [InlineData(30 * Block)]
    public async Task What_the_judge_refuses_comes_out_as_its_own_failure(int seenBefore)
    {
        using var bench = new IngestBench();
        bench.Judge.RefusesAfter = seenBefore;
        await using var ingest = await bench.OpenAsync();
        await Assert.ThrowsAsync<UnsafeContentException>(
            () => ingest.TakeAsync(new ScriptedStream(Bytes(60 * Block)), null, NoLimit, NoCheckpoint, Stop));
        await Assert.ThrowsAsync<UnsafeContentException>(() => ingest.FinishAsync(Stop));
    }

    [Fact]
    public async Task What_the_judge_refuses_at_the_end_comes_out_at_the_end()
    {
        using var bench = new IngestBench();
        bench.Judge.RefusesAtTheEnd = true;
        await using var ingest = await bench.OpenAsync();
        await ingest.TakeAsync(new ScriptedStream(Bytes(10)), null, NoLimit, NoCheckpoint, Stop);
        await Assert.ThrowsAsync<UnsafeContentException>(() => ingest.FinishAsync(Stop));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    public async Task A_full_store_comes_out_as_a_full_store_whenever_it_fills(int writes)
    {
        for (var round = 0; round < 20; round++)
        {
            using var bench = new IngestBench();
            bench.Store.On(StoreCall.Write).After(writes).Throw(new StoreFullException("main", Block, 0));
            await using var ingest = await bench.OpenAsync();
            await Assert.ThrowsAsync<StoreFullException>(
                () => ingest.TakeAsync(new ScriptedStream(Bytes((writes + 1) * Block)), null, NoLimit, NoCheckpoint, Stop));

            // Exactly what came before is there.
            Assert.Equal(writes * Block, (await bench.Real.ListStagedAsync(Stop).SingleAsync(Stop)).Length);
        }
    }

    [Fact]
    public async Task The_failure_of_the_store_counts_more_than_that_of_the_source()
    {
        using var bench = new IngestBench();
        bench.Store.On(StoreCall.Write).Throw(new StoreFullException("main", 1, 0));
        await using var ingest = await bench.OpenAsync();
        var body = new ScriptedStream(Bytes(10), (given, _) => given == 0 ? ValueTask.FromResult(10) : throw new IOException("cut"));
        await Assert.ThrowsAsync<StoreFullException>(() => ingest.TakeAsync(body, null, NoLimit, NoCheckpoint, Stop));
    }

    [Fact]
    public async Task What_came_before_a_cut_is_counted_and_can_be_gone_on_with()
    {
        var bytes = Bytes(3 * Block + 100);
        var cut = Block + 77;
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        var counted = 0L;
        var body = new ScriptedStream(bytes, (given, _) => given < cut ? ValueTask.FromResult(cut - given) : throw new IOException("cut"));
        await Assert.ThrowsAsync<IOException>(() => ingest.TakeAsync(body, bytes.Length, NoLimit, CountAsync, Stop));
        Assert.Equal((cut, cut), (counted, ingest.Length));
        Assert.Equal(cut, (await bench.Real.ListStagedAsync(Stop).SingleAsync(Stop)).Length);

        await ingest.TakeAsync(new ScriptedStream(bytes.AsMemory(cut)), bytes.Length, NoLimit, CountAsync, Stop);
        Assert.Equal(bytes.Length, counted);
        AssertSums(bytes, await ingest.FinishAsync(Stop));

        Task CountAsync(long fetched)
        {
            counted += fetched;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Progress_is_reported_once_a_second_and_at_the_end()
    {
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        var reports = new List<long>();
        var body = new ScriptedStream(Bytes(2500), (_, _) =>
        {
            bench.Clock.Advance(TimeSpan.FromMilliseconds(250));
            return ValueTask.FromResult(100);
        });
        await ingest.TakeAsync(body, 2500, NoLimit, fetched =>
        {
            reports.Add(fetched);
            return Task.CompletedTask;
        }, Stop);

        // The last call of the body, which gives nothing, takes its quarter of a second, too.
        Assert.Equal([400, 400, 400, 400, 400, 400, 100], reports);
    }

    [Fact]
    public async Task What_was_reported_is_durable_soon_after()
    {
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        var store = (Vitrine.Stores.Memory.MemoryStore)bench.Real;
        await ingest.TakeAsync(
            new ScriptedStream(Bytes(1000), async (given, _) =>
            {
                while ((await bench.Real.ListStagedAsync(Stop).SingleAsync(Stop)).Length < given)
                    await Task.Yield();

                bench.Clock.Advance(TimeSpan.FromSeconds(1));
                return 250;
            }),
            null, NoLimit, NoCheckpoint, Stop);
        store.CutPower();
        Assert.InRange((await bench.Real.ListStagedAsync(Stop).SingleAsync(Stop)).Length, 750, 1000);
    }

    [Fact]
    public async Task A_flush_that_fails_is_noticed()
    {
        using var bench = new IngestBench();
        bench.Store.On(StoreCall.Flush).Throw(new StoreUnavailableException("main", "the test wants it.")).Times(1);
        await using var ingest = await bench.OpenAsync();
        var body = new ScriptedStream(Bytes(20), (_, _) =>
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(2));
            return ValueTask.FromResult(10);
        });
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ingest.TakeAsync(body, null, NoLimit, NoCheckpoint, Stop));
    }

    [Fact]
    public async Task A_checkpoint_that_refuses_ends_the_taking()
    {
        using var bench = new IngestBench();
        await using var ingest = await bench.OpenAsync();
        var body = new ScriptedStream(Bytes(100 * Block), (_, _) =>
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(1));
            return ValueTask.FromResult(Block);
        });
        await Assert.ThrowsAsync<InvalidDataException>(
            () => ingest.TakeAsync(body, null, NoLimit, _ => throw new InvalidDataException("lost"), Stop));
        Assert.Equal(Block, ingest.Length);
    }

    [Fact]
    public async Task A_pass_that_has_ended_can_be_flushed_and_closed_before_and_after_the_commit()
    {
        using var bench = new IngestBench(onDisk: true);
        await using var ingest = await bench.OpenAsync();
        await ingest.TakeAsync(new ScriptedStream(Bytes(10)), null, NoLimit, NoCheckpoint, Stop);
        var result = await ingest.FinishAsync(Stop);
        await ingest.FlushAsync(Stop);
        await ingest.CommitAsync(result.Digest, Stop);
        await ingest.FlushAsync(Stop);
        await ingest.DisposeAsync();
    }

    [Fact]
    public async Task A_cancel_while_the_source_is_waited_for_keeps_what_came()
    {
        using var bench = new IngestBench();
        using var stop = new CancellationTokenSource();
        await using var ingest = await bench.OpenAsync();
        var body = new ScriptedStream(Bytes(100), async (given, cancellationToken) =>
        {
            if (given < 40)
                return 40;

            await stop.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            return 0;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ingest.TakeAsync(body, 100, NoLimit, NoCheckpoint, stop.Token));
        Assert.Equal((40, 40), (ingest.Length, (await bench.Real.ListStagedAsync(Stop).SingleAsync(Stop)).Length));

        await ingest.TakeAsync(new ScriptedStream(Bytes(100).AsMemory(40)), 100, NoLimit, NoCheckpoint, Stop);
        AssertSums(Bytes(100), await ingest.FinishAsync(Stop));
    }

    [Fact]
    public async Task A_cancel_while_the_store_is_behind_leaves_no_lane_with_more_than_the_others()
    {
        using var bench = new IngestBench();
        var paused = new PausedStore(bench.Real);
        var gate = paused.Pause(StoreCall.Write);
        using var stop = new CancellationTokenSource();
        var bytes = Bytes(40 * Block);
        var given = 0;
        await using var ingest = await bench.OpenAsync(paused);
        var taking = ingest.TakeAsync(
            new ScriptedStream(bytes, (count, _) =>
            {
                given = count;
                return ValueTask.FromResult(Block);
            }),
            bytes.Length, NoLimit, NoCheckpoint, stop.Token);
        await gate.Reached;
        await stop.CancelAsync();
        gate.Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
        Assert.InRange(given, 1, MostOnTheWay);
        Assert.Equal(ingest.Length, (await bench.Real.ListStagedAsync(Stop).SingleAsync(Stop)).Length);

        await ingest.TakeAsync(new ScriptedStream(bytes.AsMemory((int)ingest.Length)), bytes.Length, NoLimit, NoCheckpoint, Stop);
        AssertSums(bytes, await ingest.FinishAsync(Stop));
    }

    [Fact]
    public async Task A_cancel_stops_the_rereading()
    {
        using var bench = new IngestBench();
        await using (var before = await bench.OpenAsync())
            await before.TakeAsync(new ScriptedStream(Bytes(4 * Block)), null, NoLimit, NoCheckpoint, Stop);

        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var paused = new PausedStore(bench.Real);
        paused.Pause(StoreCall.ReadBack);
        await using var ingest = await bench.OpenAsync(paused);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ingest.RereadAsync(stop.Token));
    }

    [Fact]
    public async Task A_store_that_gives_back_less_than_it_says_is_no_endless_loop()
    {
        using var bench = new IngestBench();
        await using var ingest = new Ingest(new Shrunk(), bench.Judge, [], bench.Clock);
        await Assert.ThrowsAsync<EndOfStreamException>(() => ingest.RereadAsync(Stop));
    }

    [Fact]
    public async Task A_slow_store_slows_the_source_and_memory_stays_bounded()
    {
        using var bench = new IngestBench();
        var paused = new PausedStore(bench.Real);
        var gate = paused.Pause(StoreCall.Write);
        var most = 0L;
        await using var ingest = await bench.OpenAsync(paused);
        var taking = ingest.TakeAsync(
            new ScriptedStream(Bytes(64 * Block), (given, _) =>
            {
                most = given;
                return ValueTask.FromResult(Block);
            }),
            null, NoLimit, NoCheckpoint, Stop);
        await gate.Reached;
        Assert.False(taking.IsCompleted);

        var read = Volatile.Read(ref most);
        gate.Open();
        await taking;

        Assert.InRange(read, 0, MostOnTheWay);
        Assert.Equal(64 * Block, ingest.Length);
    }

    private static ScriptedStream Choppy(byte[] bytes, Random random, int most) =>
        new(bytes, (_, _) => ValueTask.FromResult(random.Next(1, most + 1)));

    private static void AssertSums(byte[] bytes, IngestResult result)
    {
        Assert.Equal(Digest.Of(bytes), result.Digest);
        Assert.Equal(bytes.Length, result.Length);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), result.Sums[ChecksumAlgorithm.Sha256]);
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(bytes)), result.Sums[ChecksumAlgorithm.Md5]);
        Assert.Equal(Convert.ToHexStringLower(SHA512.HashData(bytes)), result.Sums[ChecksumAlgorithm.Sha512]);
        Assert.Equal(bytes.Length == 0 ? null : new FormatVerdict(DiskFormat.Raw, bytes.Length), result.Verdict);
    }

    private static async Task<byte[]> ReadAsync(IContentStore store, Digest digest)
    {
        await using var reader = await store.OpenAsync(digest, Stop);
        var bytes = new byte[reader.Length];
        for (var read = 0; read < bytes.Length;)
            read += await reader.ReadAsync(read, bytes.AsMemory(read), Stop);

        return bytes;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private sealed class Shrunk : ContentWriter
    {
        public override long Length => 100;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            ValueTask.FromResult(offset < 50 ? 50 : 0);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task ResetAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CommitAsync(Digest digest, CancellationToken cancellationToken) => Task.CompletedTask;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Whatever happens to an ingest, each buffer goes back to the pool once.</summary>
[Collection(AloneCollection.Name)]
public sealed class IngestBufferTests
{
    public static TheoryData<string> Ends => ["done", "judge", "store", "source", "checkpoint", "cancel", "reread", "restart", "abandon"];

    [Theory, MemberData(nameof(Ends))]
    public async Task Every_buffer_goes_back_to_the_pool_once(string end)
    {
        using var buffers = new PooledBuffers(Block);
        for (var round = 0; round < 5; round++)
        {
            using var bench = new IngestBench();
            await using (var before = await bench.OpenAsync())
                await before.TakeAsync(new ScriptedStream(Bytes(3 * Block + 1)), null, long.MaxValue, NoCheckpoint, Stop);
            await RunAsync(bench, end);
        }

        Assert.True(buffers.Seen > 0, "the pool's events were not heard");
        Assert.Equal(0, buffers.Unsettled);
    }

    private static async Task RunAsync(IngestBench bench, string end)
    {
        using var stop = new CancellationTokenSource();
        var failure = new StoreFullException("main", 1, 0);
        if (end is "judge")
            bench.Judge.RefusesAfter = 10 * Block;
        if (end is "store")
            bench.Store.On(StoreCall.Write).After(4).Throw(failure);
        if (end is "reread")
            bench.Store.On(StoreCall.ReadBack).After(2).Throw(failure);

        await using var ingest = await bench.OpenAsync();
        var body = new ScriptedStream(Bytes(30 * Block + 9), (given, _) =>
        {
            bench.Clock.Advance(TimeSpan.FromMilliseconds(400));
            if (end is "source" && given > 20 * Block)
                throw failure;
            if (end is "cancel" && given > 20 * Block)
                stop.Cancel();
            return ValueTask.FromResult(Block - 3);
        });
        try
        {
            await ingest.RereadAsync(stop.Token);
            if (end is "restart")
                await ingest.RestartAsync(stop.Token);
            await ingest.TakeAsync(
                body, null, long.MaxValue, _ => end is "checkpoint" ? Task.FromException(failure) : Task.CompletedTask, stop.Token);
            if (end is not "abandon")
                await ingest.FinishAsync(stop.Token);
        }
        catch (Exception expected) when (expected is StoreFullException or UnsafeContentException or OperationCanceledException)
        {
            Assert.NotEqual("done", end);
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
