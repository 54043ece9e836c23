using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.FileSystem;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>What a store in a directory does when the file server behind its mount refuses, forgets or holds up what it is asked for.</summary>
public abstract class FaultyMountContract : IAsyncLifetime
{
    private protected static readonly StagingKey Key = new("key");
    private static readonly StagingKey Other = new("other");

    private readonly byte[] _known = RandomNumberGenerator.GetBytes(700_000);
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(3_000_000);
    private readonly DirectoryInfo _root;
    private readonly List<IContentStore> _opened = [];

    private protected FaultyMountContract(FaultyMount mount) => (Mount, _root) = (mount, mount.CreateDirectory());

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected FaultyMount Mount { get; }

    private protected IContentStore Store { get; private set; } = null!;

    private protected byte[] Content => _content;

    /// <summary>Of the directory in which content becomes visible.</summary>
    private protected abstract string PublishedPattern { get; }

    /// <summary>Content becomes visible, and nobody is told.</summary>
    private protected abstract MountFault LostAnswer { get; }

    private protected abstract IContentStore Open(string root);

    public async ValueTask InitializeAsync()
    {
        Store = Open();
        await PutAsync(Store, Key, _known);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Mount.Heal();
        foreach (var store in _opened.OfType<IAsyncDisposable>())
            await store.DisposeAsync();

        _root.Delete(recursive: true);
    }

    [Theory]
    [InlineData("write", "ENOSPC", 0, typeof(StoreFullException))]
    [InlineData("write", "ENOSPC", 9, typeof(StoreFullException))]
    [InlineData("write", "EDQUOT", 0, typeof(StoreFullException))]
    [InlineData("write", "EDQUOT", 9, typeof(StoreFullException))]
    [InlineData("write", "EIO", 9, typeof(StoreUnavailableException))]
    [InlineData("write", "ESTALE", 9, typeof(StoreUnavailableException))]
    [InlineData("create", "ENOSPC", 0, typeof(StoreFullException))]
    [InlineData("create", "EROFS", 0, typeof(StoreUnavailableException))]
    [InlineData("fsync", "ENOSPC", 0, typeof(StoreFullException))]
    [InlineData("fsync", "EDQUOT", 0, typeof(StoreFullException))]
    [InlineData("fsync", "EDQUOT", 1, typeof(StoreFullException))]
    [InlineData("fsync", "EIO", 1, typeof(StoreUnavailableException))]
    [InlineData("rename", "EIO", 0, typeof(StoreUnavailableException))]
    [InlineData("rename", "ETIMEDOUT", 0, typeof(StoreUnavailableException))]
    public async Task What_the_mount_refuses_is_not_seen_and_is_gone_on_with_later(string op, string errno, int after, Type expected)
    {
        Mount.Fail(new MountFault(op, errno) { After = after });
        Assert.IsType(expected, await Record.ExceptionAsync(() => PutAsync(Store, Key, _content)));
        Assert.Equal(_known, await ReadAllAsync(Store, _known));
        Assert.NotEmpty(Mount.Heal());
        await GoOnAsync();
    }

    [Fact]
    public async Task What_the_service_loses_its_right_to_in_the_middle_is_gone_on_with_later()
    {
        Mount.Fail(new MountFault("write", "EACCES") { After = 9 }, new MountFault("truncate", "EACCES"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => PutAsync(Store, Key, _content));
        AssertMet("write", "truncate");
        await GoOnAsync();
    }

    [Theory]
    [InlineData("ENOSPC")]
    [InlineData("EDQUOT")]
    public async Task What_is_written_in_part_before_the_room_ends_does_not_count(string errno)
    {
        Mount.Fail(new MountFault("write") { After = 9, Times = 1, Short = 1000 }, new MountFault("write", errno) { After = 10 });
        await Assert.ThrowsAsync<StoreFullException>(() => PutAsync(Store, Key, _content));
        Assert.InRange(Mount.Heal().Count, 2, int.MaxValue);
        await GoOnAsync();
    }

    [Theory]
    [InlineData("fsync", "a commit")]
    [InlineData("fsync", "a flush")]
    [InlineData("flush", "the end of the writer")]
    public async Task What_the_server_was_said_to_have_and_refuses_is_written_again(string op, string at)
    {
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            Mount.Fail(new MountFault("write", Path: "/staging/") { After = 5, Times = 1, Lose = true }, new MountFault(op, "EDQUOT"));
            await writer.WriteAsync(_content, Stop);
            if (at == "a commit")
                await Assert.ThrowsAsync<StoreFullException>(() => writer.CommitAsync(Digest.Of(_content), Stop));
            else if (at == "a flush")
                await Assert.ThrowsAsync<StoreFullException>(() => writer.FlushAsync(Stop));
        }

        AssertMet("write", op);
        await GoOnAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_sync_has_lost_is_not_found_durable_by_the_next_one(bool isCommitted)
    {
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            Mount.Fail(new MountFault("write", Path: "/staging/") { After = 5, Times = 1, Lose = true }, new MountFault("fsync", "EDQUOT"));
            await writer.WriteAsync(_content, Stop);
            await Assert.ThrowsAsync<StoreFullException>(() => isCommitted ? writer.CommitAsync(Digest.Of(_content), Stop) : writer.FlushAsync(Stop));
            AssertMet("write", "fsync");
            await Assert.ThrowsAnyAsync<LibraryException>(() => writer.FlushAsync(Stop));
            await Assert.ThrowsAnyAsync<LibraryException>(() => writer.CommitAsync(Digest.Of(_content), Stop));
        }

        await GoOnAsync();
    }

    [Theory]
    [InlineData("EDQUOT")]
    [InlineData("EIO")]
    public async Task What_was_synced_is_whole_whatever_a_close_says_then(string errno)
    {
        Mount.Fail(new MountFault("flush", errno));
        await PutAsync(Store, Key, _content);
        Assert.NotEmpty(Mount.Heal());
        Assert.Equal(_content, await ReadAllAsync(Open(), _content));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_seen_after_a_commit_that_failed_at_its_end_is_whole_and_stays_so(bool isAnswerLost)
    {
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(_content, Stop);
            Mount.Fail(isAnswerLost ? LostAnswer : new MountFault("fsync", "EIO", PublishedPattern));
            await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.CommitAsync(Digest.Of(_content), Stop));
            Assert.NotEmpty(Mount.Heal());
            Assert.NotNull(await Store.FindAsync(Digest.Of(_content), Stop));

            // Whoever has the writer may try to begin anew.
            var failure = await Record.ExceptionAsync(() => writer.ResetAsync(Stop)) ?? await Record.ExceptionAsync(() => writer.WriteAsync(new byte[9], Stop).AsTask());
            Assert.True(failure is null or LibraryException, $"{failure}");
            Assert.Equal(_content, await ReadAllAsync(Store, _content));
        }

        await PutAsync(Store, Key, _content);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task A_file_that_is_stale_once_when_it_is_opened_is_opened_again()
    {
        // The kernel itself tries twice.
        var store = Open();
        await store.ListStagedAsync(Stop).ToListAsync(Stop);
        Mount.Fail(new MountFault("open", "ESTALE", PublishedPattern.TrimEnd('$')) { Times = 2 });
        Assert.Equal(_known, await ReadAllAsync(store, _known));
        Assert.Equal(2, Mount.Heal().Count);
    }

    [Theory]
    [InlineData("open", "ESTALE")]
    [InlineData("open", "EIO")]
    [InlineData("read", "ESTALE")]
    [InlineData("read", "EIO")]
    [InlineData("read", "ETIMEDOUT")]
    public async Task What_cannot_be_read_just_now_is_neither_missing_nor_damaged(string op, string errno)
    {
        var store = Open();
        await store.ListStagedAsync(Stop).ToListAsync(Stop);
        Mount.Fail(new MountFault(op, errno));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ReadAllAsync(store, _known));
        Assert.NotEmpty(Mount.Heal());
        Assert.Equal(_known, await ReadAllAsync(store, _known));
    }

    [Fact]
    public async Task What_was_open_when_the_server_started_again_is_gone_on_with()
    {
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(_content.AsMemory(0, 1_000_000), Stop);
            await writer.FlushAsync(Stop);
            Mount.MakeStale();
            await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            {
                await writer.WriteAsync(_content.AsMemory(1_000_000), Stop);
                await writer.CommitAsync(Digest.Of(_content), Stop);
            });
        }

        await GoOnAsync(atLeast: 1_000_000);
    }

    [Fact]
    public async Task A_sync_that_takes_its_time_holds_up_nothing_but_what_waits_for_it()
    {
        Mount.Fail(new MountFault("fsync") { Delay = 0.2 });
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(_content.AsMemory(0, 1_000_000), Stop);
            var flushing = writer.FlushAsync(Stop);
            for (var at = 1_000_000; at < _content.Length; at += 100_000)
                await writer.WriteAsync(_content.AsMemory(at, 100_000), Stop);

            await PutAsync(Store, Other, [1, 2, 3]);
            await flushing;
            await writer.CommitAsync(Digest.Of(_content), Stop);
        }

        Assert.NotEmpty(Mount.Heal());
        Assert.Equal([1, 2, 3], await ReadAllAsync(Store, [1, 2, 3]));
        await Store.DeleteAsync(Digest.Of([1, 2, 3]), Stop);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task What_cannot_be_removed_just_now_stays_whole_and_goes_later()
    {
        Mount.Fail(new MountFault("unlink", "EIO"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.DeleteAsync(Digest.Of(_known), Stop));
        Assert.NotEmpty(Mount.Heal());
        Assert.Equal(_known, await ReadAllAsync(Store, _known));
        await Store.DeleteAsync(Digest.Of(_known), Stop);
        Assert.Null(await Store.FindAsync(Digest.Of(_known), Stop));
    }

    [Theory]
    [InlineData("write", "EDQUOT", "The store 'main' cannot be used: there is no room left in it.")]
    [InlineData("fsync", "EIO", "The store 'main' cannot be used: its disk reports an input/output error.")]
    [InlineData("read", "ESTALE", "The store 'main' cannot be used: its network mount is stale and has to be mounted again.")]
    public async Task A_probe_says_what_is_wrong_as_long_as_it_is(string op, string errno, string expected)
    {
        Mount.Fail(new MountFault(op, errno));
        Assert.Equal(expected, (await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.ProbeAsync(Stop))).Message);
        Assert.NotEmpty(Mount.Heal());
        await Store.ProbeAsync(Stop);
    }

    private protected IContentStore Open()
    {
        var store = Open(_root.FullName);
        _opened.Add(store);
        return store;
    }

    /// <summary>Nothing is seen of what failed; what there is of it is right, and becomes the content.</summary>
    private protected async Task GoOnAsync(long atLeast = 0)
    {
        Assert.Null(await Store.FindAsync(Digest.Of(_content), Stop));
        await Assert.ThrowsAsync<ContentMissingException>(() => Store.OpenAsync(Digest.Of(_content), Stop));
        Assert.Equal([Digest.Of(_known)], await Store.ListAsync(Stop).Select(c => c.Digest).ToListAsync(Stop));

        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            Assert.InRange(writer.Length, atLeast, _content.Length);
            var begun = new byte[writer.Length];
            for (var count = 0; count < begun.Length;)
                count += await writer.ReadAsync(count, begun.AsMemory(count), Stop);

            Assert.True(_content.AsSpan().StartsWith(begun), $"{begun.Length} bytes");
            await writer.WriteAsync(_content.AsMemory(begun.Length), Stop);
            await writer.CommitAsync(Digest.Of(_content), Stop);
        }

        await AssertWholeAsync();
    }

    private void AssertMet(params string[] ops)
    {
        var met = Mount.Heal();
        Assert.All(ops, o => Assert.Contains(met, m => m.StartsWith(o, StringComparison.Ordinal)));
    }

    /// <summary>Both contents are there, to this process and to the next, and nothing else is.</summary>
    private async Task AssertWholeAsync()
    {
        foreach (var store in new[] { Store, Open() })
        {
            Assert.Equal(_content, await ReadAllAsync(store, _content));
            Assert.Equal(_known, await ReadAllAsync(store, _known));
            Assert.Equal(2, await store.ListAsync(Stop).CountAsync(Stop));
            Assert.Empty(await store.ListStagedAsync(Stop).ToListAsync(Stop));
        }
    }

    private protected static async Task PutAsync(IContentStore store, StagingKey key, byte[] content)
    {
        await using var writer = await store.OpenWriterAsync(key, Stop);
        await writer.WriteAsync(content, Stop);
        await writer.CommitAsync(Digest.Of(content), Stop);
    }

    private protected static async Task<byte[]> ReadAllAsync(IContentStore store, byte[] content)
    {
        await using var reader = await store.OpenAsync(Digest.Of(content), Stop);
        var read = new byte[reader.Length];
        for (var count = 0; count < read.Length;)
            count += await reader.ReadAsync(count, read.AsMemory(count), Stop);

        return read;
    }
}

public sealed class FileSystemStoreOnFaultyMountTests(FaultyMount mount) : FaultyMountContract(mount), IClassFixture<FaultyMount>
{
    private protected override string PublishedPattern => "/content/..$";

    private protected override MountFault LostAnswer => new("rename", "ETIMEDOUT", "/staging/") { Late = true };

    private protected override IContentStore Open(string root) => FileSystemStore.Open("main", root);

    [Fact]
    public async Task A_reader_whose_file_is_stale_says_so_and_the_next_one_reads()
    {
        await PutAsync(Store, Key, Content);
        await using var reader = await Store.OpenAsync(Digest.Of(Content), Stop);
        Mount.MakeStale();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => reader.ReadAsync(0, new byte[1000], Stop).AsTask());
        Assert.Equal(Content, await ReadAllAsync(Store, Content));
    }
}

public sealed class ChunkedStoreOnFaultyMountTests(FaultyMount mount) : FaultyMountContract(mount), IClassFixture<FaultyMount>
{
    private protected override string PublishedPattern => "/contents/..$";

    // The map comes before the record.
    private protected override MountFault LostAnswer => new("rename", "ETIMEDOUT", "/incoming/") { After = 1, Late = true };

    private protected override IContentStore Open(string root) =>
        ChunkedStore.InDirectory("main", root, new ChunkedStoreOptions(), TimeProvider.System);

    [Fact]
    public async Task A_reader_whose_files_are_stale_opens_them_again()
    {
        await PutAsync(Store, Key, Content);
        await using var store = (ChunkedStore)Open();
        await using var reader = await store.OpenAsync(Digest.Of(Content), Stop);
        var read = new byte[Content.Length];
        var count = await reader.ReadAsync(0, read.AsMemory(0, 1000), Stop);
        Mount.MakeStale();
        while (count < read.Length)
            count += await reader.ReadAsync(count, read.AsMemory(count), Stop);

        Assert.Equal(Content, read);
    }
}
