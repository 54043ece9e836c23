using System.Diagnostics;
using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Stores.FileSystem;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>What the store of whole files promises beyond the contract, on any file system.</summary>
public abstract class FileSystemStoreContract(DirectoryInfo root) : ContentStoreContract, IDisposable
{
    private static readonly byte[] Bytes = [1, 2, 3, 4, 5];
    private static readonly StagingKey Key = new("key");

    private FileSystemStore? _store;

    internal override IContentStore Store => _store ??= Open(new BootId(Guid.NewGuid()));

    internal override async Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        // To dispose a writer closes its files and does nothing else, as the kernel does for the dead. The page cache keeps
        // here what a power cut takes; the other boot id is what tells the store not to believe it.
        foreach (var writer in open)
            await writer.DisposeAsync();

        return Open(new BootId(Guid.NewGuid()));
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        root.Delete(recursive: true);
    }

    [Fact]
    public async Task After_the_death_of_the_process_alone_what_was_not_flushed_is_there_too()
    {
        var boot = new BootId(Guid.NewGuid());
        var writer = await Open(boot).OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await writer.DisposeAsync();

        await using var next = await Open(boot).OpenWriterAsync(Key, Stop);
        Assert.Equal(5, next.Length);
    }

    [Fact]
    public async Task After_a_power_cut_nothing_more_than_what_was_flushed_is_trusted()
    {
        var writer = await Open(new BootId(Guid.NewGuid())).OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes.AsMemory(0, 3), Stop);
        await writer.FlushAsync(Stop);
        await writer.WriteAsync(Bytes.AsMemory(3), Stop);
        await writer.DisposeAsync();

        await using var next = await Open(new BootId(Guid.NewGuid())).OpenWriterAsync(Key, Stop);
        Assert.Equal(3, next.Length);
        Assert.Equal(3, new FileInfo(StagedPath).Length);
    }

    [Fact]
    public async Task What_another_machine_wrote_and_did_not_flush_is_not_trusted_when_the_first_one_comes_back()
    {
        var (first, second) = (new BootId(Guid.NewGuid()), new BootId(Guid.NewGuid()));
        foreach (var (boot, expected) in new[] { (first, 0), (second, 0), (first, 0) })
        {
            await using var writer = await Open(boot).OpenWriterAsync(Key, Stop);
            Assert.Equal(expected, writer.Length);
            await writer.WriteAsync(Bytes, Stop);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(512)]
    public async Task A_checkpoint_that_was_torn_while_it_was_written_falls_back_to_the_one_before(int slot)
    {
        var writer = await Open(new BootId(Guid.NewGuid())).OpenWriterAsync(Key, Stop);
        // Opening has saved the first record in the second slot.
        await writer.WriteAsync(Bytes.AsMemory(0, 2), Stop);
        await writer.FlushAsync(Stop);
        await writer.WriteAsync(Bytes.AsMemory(2, 2), Stop);
        await writer.FlushAsync(Stop);
        await writer.DisposeAsync();

        Tear(slot);
        await using var next = await Open(new BootId(Guid.NewGuid())).OpenWriterAsync(Key, Stop);
        Assert.Equal(slot == 512 ? 2 : 4, next.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_a_valid_checkpoint_nothing_is_trusted(bool isMissing)
    {
        var boot = new BootId(Guid.NewGuid());
        var writer = await Open(boot).OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await writer.FlushAsync(Stop);
        await writer.DisposeAsync();

        if (isMissing)
        {
            File.Delete(StagedPath + ".checkpoint");
        }
        else
        {
            Tear(0);
            Tear(512);
        }

        await using var next = await Open(boot).OpenWriterAsync(Key, Stop);
        Assert.Equal(0, next.Length);
    }

    [FactWithTool("flock")]
    public async Task Another_process_that_writes_keeps_us_out()
    {
        var store = Store;
        await (await store.OpenWriterAsync(Key, Stop)).DisposeAsync();
        using var other = Process.Start(new ProcessStartInfo("flock", ["--exclusive", StagedPath + ".checkpoint", "sh", "-c", "echo locked; read line"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("locked", await other.StandardOutput.ReadLineAsync(Stop));

        await Assert.ThrowsAsync<WriterBusyException>(() => store.OpenWriterAsync(Key, Stop));
        await Assert.ThrowsAsync<WriterBusyException>(() => store.DiscardAsync(Key, Stop));

        await other.StandardInput.WriteLineAsync();
        await other.WaitForExitAsync(Stop);
        await using var writer = await store.OpenWriterAsync(Key, Stop);
        Assert.Equal(0, writer.Length);
    }

    [Fact]
    public async Task Writers_that_race_for_a_key_never_share_a_file()
    {
        // Each commits something else. Whatever the order, every content must be what its digest says.
        var committed = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() => TryPutAsync(new byte[1000 + i]), Stop)));

        var contents = await Store.ListAsync(Stop).ToListAsync(Stop);
        Assert.Equal(committed.Count(c => c), contents.Count);
        foreach (var content in contents)
            Assert.Equal(content.Digest, Digest.Of(await ReadAllAsync(Store, content.Digest)));
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task A_content_file_that_lost_its_end_is_replaced_by_a_commit()
    {
        await PutAsync(Store, Key, Bytes);
        await using (var file = File.OpenWrite(ContentPath(Bytes)))
            file.SetLength(2);

        await PutAsync(Store, Key, Bytes);
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task What_a_power_cut_leaves_of_a_commit_can_be_discarded()
    {
        var store = Store;
        await File.WriteAllBytesAsync(StagedPath + ".checkpoint", new byte[1024], Stop);
        Assert.Equal([(Key, 0L)], (await store.ListStagedAsync(Stop).ToListAsync(Stop)).Select(s => (s.Key, s.Length)));

        await store.DiscardAsync(Key, Stop);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(root.FullName, "staging")));
    }

    [Fact]
    public async Task Files_that_are_not_ours_are_not_content()
    {
        await PutAsync(Store, Key, Bytes);
        await File.WriteAllTextAsync(ContentPath(Bytes) + ".note", "an operator's", Stop);
        await File.WriteAllTextAsync(Path.Combine(root.FullName, "staging", "Read Me"), "an operator's", Stop);

        Assert.Single(await Store.ListAsync(Stop).ToListAsync(Stop));
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("UPPER")]
    [InlineData("a.checkpoint")]
    public async Task A_key_that_is_no_plain_name_is_refused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.OpenWriterAsync(new StagingKey(key), Stop));
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public async Task Content_is_not_readable_for_everyone_on_the_machine()
    {
        await PutAsync(Store, Key, Bytes);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(ContentPath(Bytes)) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite));
    }

    [Fact]
    public async Task The_capacity_is_that_of_the_disk()
    {
        var capacity = await Store.MeasureAsync(Stop);
        Assert.Equal(new DriveInfo(root.FullName).TotalSize, capacity.Total);
    }

    [Fact]
    public void A_directory_that_is_missing_is_no_store()
    {
        var failure = Assert.Throws<StoreUnavailableException>(() => FileSystemStore.Open("main", Path.Combine(root.FullName, "missing")));
        Assert.DoesNotContain(root.FullName, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_of_somebody_else_is_left_alone()
    {
        File.WriteAllText(Path.Combine(root.FullName, "thesis.txt"), "mine");
        Assert.Throws<StoreUnavailableException>(() => FileSystemStore.Open("main", root.FullName));
        Assert.Equal(["thesis.txt"], Directory.GetFileSystemEntries(root.FullName).Select(Path.GetFileName));
    }

    [Fact]
    public void A_layout_of_a_later_version_is_left_alone()
    {
        File.WriteAllText(Path.Combine(root.FullName, "layout"), "2\n");
        Assert.Throws<StoreUnavailableException>(() => FileSystemStore.Open("main", root.FullName));
        Assert.Equal(["layout"], Directory.GetFileSystemEntries(root.FullName).Select(Path.GetFileName));
    }

    [Fact]
    public void A_first_start_that_was_cut_off_is_finished_by_the_next()
    {
        File.WriteAllText(Path.Combine(root.FullName, "layout.0011"), "");
        Directory.CreateDirectory(Path.Combine(root.FullName, "lost+found"));
        FileSystemStore.Open("main", root.FullName);
        Assert.Equal("1\n", File.ReadAllText(Path.Combine(root.FullName, "layout")));
    }

    [Fact]
    public async Task Nodes_that_open_a_new_store_at_once_all_find_it()
    {
        for (var round = 0; round < 50; round++)
        {
            var place = root.CreateSubdirectory($"round-{round}").FullName;
            using var start = new Barrier(4);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(Stop);
                    FileSystemStore.Open("main", place);
                },
                Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            Assert.Equal("1\n", File.ReadAllText(Path.Combine(place, "layout")));
        }
    }

    [Fact]
    public async Task A_store_whose_mount_has_gone_is_not_taken_for_an_empty_one()
    {
        var store = Store;
        await PutAsync(store, Key, Bytes);
        var away = root.FullName + ".away";
        Directory.Move(root.FullName, away);
        root.Create();
        try
        {
            await ExpectUnavailableAsync(store);
            Assert.Empty(Directory.GetFileSystemEntries(root.FullName));
        }
        finally
        {
            root.Delete();
            Directory.Move(away, root.FullName);
        }
    }

    private static async Task ExpectUnavailableAsync(IContentStore store)
    {
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.FindAsync(Digest.Of(Bytes), Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenAsync(Digest.Of(Bytes), Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenWriterAsync(Key, Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.DeleteAsync(Digest.Of(Bytes), Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.DiscardAsync(Key, Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ListAsync(Stop).ToListAsync(Stop).AsTask());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ListStagedAsync(Stop).ToListAsync(Stop).AsTask());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.MeasureAsync(Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ProbeAsync(Stop));
    }

    private string StagedPath => Path.Combine(root.FullName, "staging", Key.Value);

    private string ContentPath(byte[] content)
    {
        var hex = Digest.Of(content).Hex;
        return Path.Combine(root.FullName, "content", hex[..2], hex);
    }

    private FileSystemStore Open(BootId boot) => FileSystemStore.Open("main", root.FullName, boot);

    private void Tear(int slot)
    {
        using var file = File.OpenHandle(StagedPath + ".checkpoint", FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(file, RandomNumberGenerator.GetBytes(20), slot + 20);
    }

    private async Task<bool> TryPutAsync(byte[] content)
    {
        try
        {
            await PutAsync(Store, Key, content);
            return true;
        }
        catch (WriterBusyException)
        {
            return false;
        }
    }
}

public sealed class FileSystemStoreTests() : FileSystemStoreContract(Directory.CreateTempSubdirectory("vitrine-store-"));

public sealed class FileSystemStoreOnMountTests(FaultyMount mount) : FileSystemStoreContract(mount.CreateDirectory()), IClassFixture<FaultyMount>;
