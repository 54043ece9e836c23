using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Stores.Objects.S3;
using Vitrine.Testing;
using Vitrine.Testing.S3;

namespace Vitrine.ContractTests.Stores;

/// <summary>What the chunked store promises beyond the contract, over any objects.</summary>
public abstract class ChunkedStoreContract : ContentStoreContract
{
    private const int Block = PackFormat.BlockLength;

    [Theory]
    [InlineData(1)]
    [InlineData(Block - 1)]
    [InlineData(Block)]
    [InlineData(Block + 1)]
    [InlineData(PackFormat.MaxSegment)]
    [InlineData(PackFormat.MaxSegment + 1)]
    [InlineData(3 * PackFormat.MaxSegment + 5000)]
    public async Task Content_of_any_length_comes_back(int length)
    {
        foreach (var content in new[] { new byte[length], Text(length), RandomNumberGenerator.GetBytes(length) })
        {
            await PutAsync(Store, new StagingKey("key"), content);
            Assert.Equal(content, await ReadAllAsync(Store, Digest.Of(content)));
        }
    }

    [Fact]
    public async Task Any_range_comes_back_whatever_the_content_is_made_of()
    {
        var random = new Random(7);
        var content = Mixed(random, 4_000_000);
        await PutAsync(Store, new StagingKey("key"), content);
        await using var reader = await Store.OpenAsync(Digest.Of(content), Stop);
        for (var i = 0; i < 300; i++)
        {
            var offset = random.Next(content.Length);
            var range = content.AsMemory(offset, Math.Min(random.Next(1, 700_000), content.Length - offset));
            var read = new byte[range.Length];
            for (var count = 0; count < read.Length;)
                count += await reader.ReadAsync(offset + count, read.AsMemory(count), Stop);

            Assert.True(range.Span.SequenceEqual(read), $"{range.Length} bytes at {offset}");
        }
    }

    [Fact]
    public async Task What_is_written_can_be_read_back_at_any_moment()
    {
        var random = new Random(8);
        var content = Mixed(random, 3_000_000);
        await using var writer = await Store.OpenWriterAsync(new StagingKey("key"), Stop);
        for (var at = 0; at < content.Length;)
        {
            var count = Math.Min(random.Next(1, 300_000), content.Length - at);
            await writer.WriteAsync(content.AsMemory(at, count), Stop);
            at += count;
            var from = random.Next(at);
            var read = new byte[Math.Min(50_000, at - from)];
            Assert.Equal(read.Length, await writer.ReadAsync(from, read, Stop));
            Assert.True(content.AsSpan(from, read.Length).SequenceEqual(read), $"{read.Length} bytes at {from} of {at}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    public async Task A_writer_that_dies_anywhere_goes_on_with_the_bytes_that_it_was_given(int piecesToAFlush)
    {
        var random = new Random(piecesToAFlush);
        var content = Mixed(random, 3_000_000);
        var store = Store;
        var (at, flushed) = (0L, 0L);
        while (at < content.Length)
        {
            var writer = await store.OpenWriterAsync(new StagingKey("key"), Stop);
            Assert.InRange(writer.Length, flushed, at);
            var read = new byte[writer.Length];
            for (var count = 0; count < read.Length;)
                count += await writer.ReadAsync(count, read.AsMemory(count), Stop);

            Assert.True(content.AsSpan(0, read.Length).SequenceEqual(read), $"{read.Length} bytes");

            at = writer.Length;
            for (var pieces = random.Next(1, 8); pieces > 0 && at < content.Length; pieces--)
            {
                var count = (int)Math.Min(random.Next(1, 150_000), content.Length - at);
                await writer.WriteAsync(content.AsMemory((int)at, count), Stop);
                at += count;
                if (random.Next(piecesToAFlush) > 0)
                    continue;

                await writer.FlushAsync(Stop);
                flushed = at;
            }

            store = await CutPowerAsync(writer);
        }

        await using var last = await store.OpenWriterAsync(new StagingKey("key"), Stop);
        await last.WriteAsync(content.AsMemory((int)last.Length), Stop);
        await last.CommitAsync(Digest.Of(content), Stop);
        Assert.Equal(content, await ReadAllAsync(store, Digest.Of(content)));
    }

    [Fact]
    public async Task A_writer_that_is_closed_and_opened_again_in_one_process_goes_on()
    {
        var content = RandomNumberGenerator.GetBytes(1_500_000);
        for (var at = 0; at < content.Length; at += 300_000)
        {
            await using var writer = await Store.OpenWriterAsync(new StagingKey("key"), Stop);
            Assert.Equal(at, writer.Length);
            var read = new byte[at];
            Assert.Equal(at, await writer.ReadAsync(0, read, Stop));
            Assert.True(content.AsSpan(0, at).SequenceEqual(read), $"{at} bytes");
            await writer.WriteAsync(content.AsMemory(at, 300_000), Stop);
        }

        await using var last = await Store.OpenWriterAsync(new StagingKey("key"), Stop);
        await last.CommitAsync(Digest.Of(content), Stop);
        Assert.Equal(content, await ReadAllAsync(Store, Digest.Of(content)));
    }

    [Fact]
    public async Task A_flush_may_run_beside_writes()
    {
        var content = Mixed(new Random(11), 6_000_000);
        await using var writer = await Store.OpenWriterAsync(new StagingKey("key"), Stop);
        var flushes = Task.CompletedTask;
        for (var at = 0; at < content.Length; at += 10_000)
        {
            await writer.WriteAsync(content.AsMemory(at, Math.Min(10_000, content.Length - at)), Stop);
            if (flushes.IsCompleted)
            {
                await flushes;
                flushes = Task.Run(() => writer.FlushAsync(Stop), Stop);
            }
        }

        await flushes;
        await writer.CommitAsync(Digest.Of(content), Stop);
        Assert.Equal(content, await ReadAllAsync(Store, Digest.Of(content)));
    }

    [Fact]
    public async Task A_content_of_another_store_comes_by_the_names_of_its_parts_over_any_number_of_deaths()
    {
        var random = new Random(11);
        var known = Mixed(random, 9_000_000);
        byte[] content = [.. Mixed(random, 5_000_000), .. known.AsSpan(3_000_000 / Block * Block, 4_000_000), .. Mixed(random, 14_000_001)];
        var source = InMemory();
        await PutAsync(source, new StagingKey("key"), content);
        var store = Store;
        await PutAsync(store, new StagingKey("key"), known);

        await using var reader = await source.OpenAsync(Digest.Of(content), Stop);
        var read = 0L;
        for (var isWhole = false; !isWhole;)
        {
            await using var writer = await store.OpenWriterAsync(new StagingKey("copy"), Stop);
            if (writer.Length < content.Length)
            {
                read += await writer.TakeAsync(reader, Stop);
                await writer.FlushAsync(Stop);
            }

            isWhole = writer.Length == content.Length;
            if (isWhole)
                await writer.CommitAsync(Digest.Of(content), Stop);
            else
                store = await CutPowerAsync(writer);
        }

        Assert.InRange(read, 1, content.Length - 3_000_000);
        Assert.Equal(content, await ReadAllAsync(store, Digest.Of(content)));
    }

    [Fact]
    public async Task Nothing_is_read_of_what_the_store_has_and_what_began_as_bytes_goes_on_by_name()
    {
        var content = Mixed(new Random(12), 3_000_000);
        var source = InMemory();
        await PutAsync(source, new StagingKey("key"), content);
        await using var reader = await source.OpenAsync(Digest.Of(content), Stop);
        await PutAsync(Store, new StagingKey("other"), [.. new byte[Block], .. content]);

        await using var writer = await Store.OpenWriterAsync(new StagingKey("key"), Stop);
        await writer.WriteAsync(content.AsMemory(0, 2 * Block + 100), Stop);
        Assert.InRange(await writer.TakeAsync(reader, Stop), 0, Block);
        await writer.CommitAsync(Digest.Of(content), Stop);
        Assert.Equal(content, await ReadAllAsync(Store, Digest.Of(content)));
    }

    /// <summary>A store that nothing else knows.</summary>
    private static ChunkedStore InMemory() =>
        new("source", new MemoryObjects("source", new ManualClock()), new ChunkedStoreOptions(), new ManualClock(), _ => Task.FromResult(true));

    private static byte[] Text(int length)
    {
        var text = new byte[length];
        for (var i = 0; i < length; i++)
            text[i] = (byte)('a' + i / 7 % 19);

        return text;
    }

    /// <summary>Zeros, noise, text and repetitions, in stretches that end anywhere.</summary>
    private static byte[] Mixed(Random random, int length)
    {
        var content = new byte[length];
        for (var at = 0; at < length;)
        {
            var count = Math.Min(random.Next(1, 200_000), length - at);
            var stretch = content.AsSpan(at, count);
            switch (random.Next(4))
            {
                case 0:
                    random.NextBytes(stretch);
                    break;
                case 1:
                    Text(count).CopyTo(stretch);
                    break;
                case 2 when at > count:
                    content.AsSpan((at - count) / Block * Block, count).CopyTo(stretch);
                    break;
            }

            at += count;
        }

        return content;
    }
}

public sealed class ChunkedStoreInMemoryTests : ChunkedStoreContract
{
    private readonly MemoryObjects _objects = new("memory", new ManualClock());
    private ChunkedStore? _store;

    internal override IContentStore Store => _store ??= Open();

    internal override async Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        foreach (var writer in open.OfType<ChunkedWriter>())
            await writer.AbandonAsync();

        _objects.CutPower();
        return _store = Open();
    }

    private ChunkedStore Open() =>
        new("memory", _objects, new ChunkedStoreOptions(), new ManualClock(), _ => Task.FromResult(true));
}

public abstract class ChunkedStoreInDirectoryContract(DirectoryInfo root) : ChunkedStoreContract, IAsyncLifetime
{
    private readonly List<ChunkedStore> _opened = [];
    private ChunkedStore _store = null!;

    internal override IContentStore Store => _store;

    internal override async Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        // The page cache keeps here what a power cut takes: what it may take is tried over memory.
        foreach (var writer in open.OfType<ChunkedWriter>())
            await writer.AbandonAsync();

        return _store = Open();
    }

    public ValueTask InitializeAsync()
    {
        _store = Open();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);

        // A mount keeps what is removed while it is open, under another name.
        foreach (var store in _opened)
            await store.DisposeAsync();

        root.Delete(recursive: true);
    }

    private ChunkedStore Open()
    {
        var store = ChunkedStore.InDirectory("main", root.FullName, new ChunkedStoreOptions(), TimeProvider.System);
        _opened.Add(store);
        return store;
    }
}

public sealed class ChunkedStoreInDirectoryTests() : ChunkedStoreInDirectoryContract(Directory.CreateTempSubdirectory("vitrine-store-"));

public sealed class ChunkedStoreOnMountTests(FaultyMount mount) : ChunkedStoreInDirectoryContract(mount.CreateDirectory()), IClassFixture<FaultyMount>;

public abstract class ChunkedStoreInBucketContract : ChunkedStoreContract, IAsyncLifetime
{
    private S3StoreOptions _place = null!;
    private ChunkedStore _store = null!;

    internal override IContentStore Store => _store;

    private protected abstract Task<S3StoreOptions> CreatePlaceAsync();

    internal override async Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        // What was not flushed is in the memory of the writer alone, and goes with it.
        foreach (var writer in open.OfType<ChunkedWriter>())
            await writer.AbandonAsync();

        return _store = Open();
    }

    public async ValueTask InitializeAsync()
    {
        _place = await CreatePlaceAsync();
        _store = Open();
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Another_address_of_the_server_leads_to_the_same_store()
    {
        var (one, two) = (RandomNumberGenerator.GetBytes(300_000), RandomNumberGenerator.GetBytes(300_000));
        await PutAsync(Store, new StagingKey("one"), one);
        var reached = (ChunkedStore)(await Store.ReachAsync(new UriBuilder(_place.Endpoint) { Host = "localhost" }.Uri, Stop))!;
        await using (reached)
        {
            Assert.Equal(one, await ReadAllAsync(reached, Digest.Of(one)));
            await using var begun = await Store.OpenWriterAsync(new StagingKey("two"), Stop);
            await Assert.ThrowsAsync<WriterBusyException>(() => reached.OpenWriterAsync(new StagingKey("two"), Stop));
            await PutAsync(reached, new StagingKey("three"), two);
        }

        Assert.Equal(two, await ReadAllAsync(Store, Digest.Of(two)));
    }

    [Fact]
    public async Task An_address_by_which_another_server_answers_or_none_is_refused()
    {
        await using var other = await ScriptedS3.StartAsync();
        foreach (var address in new[] { new Uri(other.CreatePlace().Endpoint), new Uri("http://127.0.0.1:1") })
        {
            _place.Retries = 0;
            await using var store = Open();
            var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReachAsync(address, Stop));
            Assert.Contains(address.Authority, refused.Message, StringComparison.Ordinal);
        }
    }

    private ChunkedStore Open() => ChunkedStore.InBucket("bucket", _place, new ChunkedStoreOptions(), TimeProvider.System);
}

public sealed class ChunkedStoreInScriptedBucketTests : ChunkedStoreInBucketContract
{
    private ScriptedS3 _server = null!;

    private protected override async Task<S3StoreOptions> CreatePlaceAsync() => (_server = await ScriptedS3.StartAsync()).CreatePlace();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _server.DisposeAsync();
    }
}

[Collection(nameof(CephServer))]
public sealed class ChunkedStoreInCephTests(CephServer server) : ChunkedStoreInBucketContract
{
    private protected override Task<S3StoreOptions> CreatePlaceAsync() => server.CreatePlaceAsync();
}

public sealed class ChunkedStoreInSwiftTests(SwiftServer server) : ChunkedStoreInBucketContract
{
    private protected override Task<S3StoreOptions> CreatePlaceAsync() => server.CreatePlaceAsync();
}
