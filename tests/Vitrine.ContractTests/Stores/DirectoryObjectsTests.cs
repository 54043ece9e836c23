using Vitrine.Stores;
using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

public sealed class DirectoryObjectsTests : ObjectStoreContract
{
    private const string Proof = "proof";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("vitrine-objects-");

    private protected override Task<IObjectStore> OpenAsync() => Task.FromResult<IObjectStore>(new DirectoryObjects("main", _root.FullName, Proof, TimeProvider.System));

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Store.PutAsync(Proof, new byte[1], Stop);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_root.Exists)
            _root.Delete(recursive: true);
    }

    [Fact]
    public async Task What_writers_left_behind_is_no_object()
    {
        await Store.PutAsync("packs/one", new byte[9], Stop);
        Directory.CreateDirectory(Path.Combine(_root.FullName, "incoming"));
        await File.WriteAllBytesAsync(Path.Combine(_root.FullName, "incoming", "half"), new byte[5], Stop);
        await using var held = await Store.TryLockAsync("staging/a", Stop);

        Assert.Equal(["packs/one", Proof], await NamesAsync(Store, ""));
    }

    [Fact]
    public async Task What_was_abandoned_is_removed_after_a_while()
    {
        var old = Path.Combine(_root.FullName, "incoming", "old");
        Directory.CreateDirectory(Path.GetDirectoryName(old)!);
        await File.WriteAllBytesAsync(old, new byte[5], Stop);

        await Store.PutAsync("packs/one", new byte[1], Stop);
        Assert.True(File.Exists(old));

        await using var later = new DirectoryObjects("main", _root.FullName, Proof, new ManualClock(TimeProvider.System.GetUtcNow().AddDays(2)));
        await later.PutAsync("packs/two", new byte[1], Stop);
        Assert.False(File.Exists(old));
    }

    [Fact]
    public async Task A_directory_without_the_proof_is_not_the_store()
    {
        await Store.PutAsync("packs/one", new byte[9], Stop);
        await Store.ReadAsync("packs/one", 0, new byte[9], Stop);
        foreach (var entry in _root.GetDirectories())
            entry.Delete(recursive: true);
        File.Delete(Path.Combine(_root.FullName, Proof));

        await AssertUnavailableAsync();
        Assert.Empty(_root.GetFileSystemInfos());
    }

    [Fact]
    public async Task A_directory_that_is_gone_is_not_made()
    {
        _root.Delete(recursive: true);
        await AssertUnavailableAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.PutAsync(Proof, new byte[1], Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ((DirectoryObjects)Store).IsEmptyAsync(Stop));
        Assert.False(Directory.Exists(_root.FullName));
    }

    [Fact]
    public async Task What_a_crash_tore_is_there_to_be_cut_off()
    {
        byte[] bytes = [1, 2, 3, 4, 5];
        await using (var appender = await Store.OpenAppenderAsync("staging/a.log", Stop))
        {
            await appender.AppendAsync(bytes, Stop);
            await appender.FlushAsync(Stop);
        }

        await using (var file = new FileStream(Path.Combine(_root.FullName, "staging", "a.log"), FileMode.Append))
            await file.WriteAsync(new byte[3], Stop);

        await using var next = await (await OpenAsync()).OpenAppenderAsync("staging/a.log", Stop);
        Assert.Equal(8, next.Length);
        await next.CutAsync(5, Stop);
        await next.SealAsync("packs/one", Stop);
        Assert.Equal(bytes, await ReadAllAsync(Store, "packs/one"));
    }

    [Fact]
    public async Task A_read_at_random_leaves_no_more_files_open_than_it_may()
    {
        for (var i = 0; i < 300; i++)
            await Store.PutAsync($"maps/{i}", BitConverter.GetBytes(i), Stop);

        for (var i = 0; i < 600; i++)
            Assert.Equal(BitConverter.GetBytes(i % 300), await ReadAllAsync(Store, $"maps/{i % 300}"));

        Assert.InRange(Directory.GetFiles("/proc/self/fd").Count(IsOurs), 1, 256);
    }

    /// <summary>Other tests of the process open and close files at the same time.</summary>
    private bool IsOurs(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, false)?.FullName.StartsWith(_root.FullName, StringComparison.Ordinal) is true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    private async Task AssertUnavailableAsync()
    {
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.FindAsync("packs/one", Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.ReadAsync("packs/one", 0, new byte[9], Stop).AsTask());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.PutAsync("packs/two", new byte[9], Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.DeleteAsync("packs/one", Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ListAsync(Store, "packs/"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.OpenAppenderAsync("staging/a.log", Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.TryLockAsync("staging/a", Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.MeasureAsync(Stop));
    }
}

public sealed class DirectoryObjectsOnTinyDiskTests : FullObjectStoreContract, IDisposable
{
    private TinyDisk? _disk;

    public void Dispose() => _disk?.Dispose();

    private protected override async Task<IObjectStore> OpenAsync()
    {
        _disk = TinyDisk.Mount(2_200_000);
        var store = new DirectoryObjects("main", _disk.Root, "proof", TimeProvider.System);
        await store.PutAsync("proof", new byte[1], TestContext.Current.CancellationToken);
        return store;
    }

    [FactWithMount]
    public Task A_put_without_room_leaves_nothing() => A_put_that_does_not_fit_leaves_nothing();

    [FactWithMount]
    public Task An_append_without_room_does_not_count() => An_append_that_does_not_fit_does_not_count();
}
