using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Stores.FileSystem;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>The store on disks that are full, read-only or gone.</summary>
public sealed class FileSystemStoreOnTinyDiskTests : FullStoreContract, IDisposable
{
    private static readonly byte[] Bytes = [1, 2, 3, 4, 5];
    private static readonly StagingKey Key = new("key");

    private TinyDisk? _disk;

    internal override IContentStore OpenStore() => FileSystemStore.Open("main", (_disk = TinyDisk.Mount(2_200_000)).Root);

    public void Dispose() => _disk?.Dispose();

    [FactWithMount]
    public Task A_full_disk_keeps_what_was_written_before_it_was_full() => A_full_store_keeps_what_was_written_before_it_was_full();

    [FactWithMount]
    public Task A_disk_can_be_written_to_when_room_was_made() => Room_that_is_made_can_be_used();

    [FactWithMount]
    public Task A_full_disk_says_so_when_it_is_probed() => A_store_without_room_says_so_when_it_is_probed();

    [FactWithMount]
    public async Task A_writer_that_cannot_be_opened_for_want_of_room_leaves_nothing_behind()
    {
        var store = OpenStore();
        await File.WriteAllBytesAsync(Path.Combine(_disk!.Root, "filler"), new byte[new DriveInfo(_disk.Root).AvailableFreeSpace], Stop);

        var full = await Assert.ThrowsAsync<StoreFullException>(() => store.OpenWriterAsync(Key, Stop));
        Assert.Equal(0, full.Free);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_disk.Root, "staging")));
    }

    [FactWithMount]
    public async Task A_read_only_disk_can_be_read_and_says_why_it_cannot_be_written_to()
    {
        var store = OpenStore();
        await using (var writer = await store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(Bytes, Stop);
            await writer.CommitAsync(Digest.Of(Bytes), Stop);
        }

        _disk!.MakeReadOnly();
        Assert.NotNull(await store.FindAsync(Digest.Of(Bytes), Stop));
        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenWriterAsync(Key, Stop));
        Assert.Equal("The store 'main' cannot be used: its file system is mounted read-only.", refused.Message);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ProbeAsync(Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.DeleteAsync(Digest.Of(Bytes), Stop));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_disk.Root, "staging")));
    }

    [FactWithMount]
    public async Task A_read_only_disk_that_holds_a_store_can_be_opened()
    {
        OpenStore();
        _disk!.MakeReadOnly();
        Assert.Empty(await FileSystemStore.Open("main", _disk.Root).ListAsync(Stop).ToListAsync(Stop));
    }

    [FactWithMount]
    public async Task A_disk_that_is_gone_is_not_taken_for_an_empty_one_and_is_not_written_around()
    {
        var store = OpenStore();
        _disk!.Unmount();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.FindAsync(Digest.Of(Bytes), Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenWriterAsync(Key, Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.MeasureAsync(Stop));
        Assert.Empty(Directory.GetFileSystemEntries(_disk.Root));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
