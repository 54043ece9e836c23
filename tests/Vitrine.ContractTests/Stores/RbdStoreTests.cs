using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Stores.Rbd;
using Vitrine.Testing.S3;

namespace Vitrine.ContractTests.Stores;

/// <summary>The store over a real cluster, held against Ceph's own tools.</summary>
[Collection(nameof(CephServer))]
public sealed class RbdStoreTests(CephServer server) : ContentStoreContract, IAsyncLifetime
{
    private const int Mebi = 1 << 20;

    private const string Refused = "its cluster refuses client.images: its key is another, or not in the keyring.";

    private static readonly byte[] Bytes = [1, 2, 3, 4, 5];
    private static readonly StagingKey Key = new("key");

    private readonly List<RbdStore> _opened = [];
    private RbdStoreOptions _options = null!;
    private RbdStore _store = null!;

    internal override IContentStore Store => _store;

    internal override async Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        // The cluster does not listen to the machine any more, as when its power went, so that nothing can be saved on the way out.
        var staged = (await ListNamesAsync()).Where(n => n.Contains("staging.", StringComparison.Ordinal));
        foreach (var name in open.Length > 0 ? staged : [])
            await ShutOutAsync(name);
        foreach (var writer in open)
            await writer.DisposeAsync();

        return Open();
    }

    public async ValueTask InitializeAsync()
    {
        _options = await server.CreateImagesAsync();
        _store = Open();
    }

    public ValueTask DisposeAsync()
    {
        _opened.ForEach(s => s.Dispose());
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_image_is_what_rbd_says_it_is()
    {
        var content = RandomNumberGenerator.GetBytes(9 * Mebi + 4711);
        await PutAsync(Store, Key, content);
        var name = NameOf(content);
        Assert.Equal([name], await ListNamesAsync());

        var info = await AskAsync("info", name);
        Assert.Equal(content.Length, info.GetProperty("size").GetInt64());
        Assert.Equal(22, info.GetProperty("order").GetInt32());
        Assert.Equal(
            ["layering", "exclusive-lock", "object-map", "fast-diff", "deep-flatten"],
            info.GetProperty("features").EnumerateArray().Select(f => f.GetString()));

        var snapshot = Assert.Single((await AskAsync("snap", "ls", name)).EnumerateArray());
        Assert.Equal(("snap", content.Length, "true"), (
            snapshot.GetProperty("name").GetString(), snapshot.GetProperty("size").GetInt64(), snapshot.GetProperty("protected").GetString()));
        Assert.Equal(Digest.Of(content).Hex, (await server.RunAsync("rbd", "image-meta", "get", name, "vitrine.digest")).Trim());
        Assert.Equal($"{content.Length}", (await server.RunAsync("rbd", "image-meta", "get", name, "vitrine.length")).Trim());
        Assert.Equal(Digest.Of(content), await ExportAsync($"{name}@snap"));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task A_host_can_clone_an_image_and_keeps_its_clone_when_the_content_is_deleted(string format)
    {
        await server.AdministerAsync("osd", "set-require-min-compat-client", "mimic");
        var content = RandomNumberGenerator.GetBytes(5 * Mebi);
        await PutAsync(Store, Key, content);
        var clone = _options.Prefix + "guest";
        await server.RunAsync(
            "rbd", "clone", "--rbd-default-clone-format", format, "--dest-pool", _options.Pool, "--image", NameOf(content), "--snap", "snap", "--dest", clone);

        await Store.DeleteAsync(Digest.Of(content), Stop);
        Assert.Null(await Store.FindAsync(Digest.Of(content), Stop));
        Assert.Equal(Digest.Of(content), await ExportAsync(clone));
        var staged = Assert.Single(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
        Assert.Equal(content.Length, staged.Length);
        await Assert.ThrowsAsync<WriterBusyException>(() => Store.DiscardAsync(staged.Key, Stop));

        await PutAsync(Store, Key, content);
        Assert.Equal(content, await ReadAllAsync(Store, Digest.Of(content)));

        await server.RunAsync("rbd", "rm", "--no-progress", clone);
        await Store.DiscardAsync(staged.Key, Stop);
        Assert.Equal([NameOf(content)], await ListNamesAsync());
    }

    [Fact]
    public async Task Content_that_is_read_while_it_is_deleted_is_freed_by_a_later_sweep()
    {
        await PutAsync(Store, Key, Bytes);
        var other = Open();
        StagedContent staged;
        await using (await other.OpenAsync(Digest.Of(Bytes), Stop))
        {
            await Store.DeleteAsync(Digest.Of(Bytes), Stop);
            staged = Assert.Single(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
            await Assert.ThrowsAsync<WriterBusyException>(() => Store.DiscardAsync(staged.Key, Stop));
        }

        await Store.DiscardAsync(staged.Key, Stop);
        Assert.Empty(await ListNamesAsync());
    }

    [Fact]
    public async Task Zeros_take_no_room()
    {
        var content = new byte[64 * Mebi];
        Array.Fill(content, (byte)7, 33 * Mebi, Mebi);
        await PutAsync(Store, Key, content);

        var used = (await AskAsync("du", NameOf(content))).GetProperty("images").EnumerateArray().Sum(i => i.GetProperty("used_size").GetInt64());
        Assert.Equal(4 * Mebi, used);
        Assert.Equal(Digest.Of(content), await ExportAsync(NameOf(content)));
    }

    [Fact]
    public async Task Zeros_are_zeros_where_a_dead_writer_had_written_something_else()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(new byte[Mebi], Stop);
        await writer.FlushAsync(Stop);
        var lost = new byte[8 * Mebi];
        Array.Fill(lost, (byte)9);
        await writer.WriteAsync(lost, Stop);
        // A read brings what was written to the cluster, and vouches for nothing.
        Assert.Equal(1, await writer.ReadAsync(9 * Mebi - 1, new byte[1], Stop));

        var store = await CutPowerAsync(writer);
        await using var next = await store.OpenWriterAsync(Key, Stop);
        Assert.Equal(Mebi, next.Length);
        await next.WriteAsync(new byte[8 * Mebi], Stop);
        await next.CommitAsync(Digest.Of(new byte[9 * Mebi]), Stop);
        Assert.Equal(Digest.Of(new byte[9 * Mebi]), await ExportAsync(NameOf(new byte[9 * Mebi])));
    }

    [Fact]
    public async Task A_writer_or_a_reader_on_another_node_is_respected()
    {
        var other = Open();
        await using (var writer = await other.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(Bytes, Stop);
            await writer.FlushAsync(Stop);
            await Assert.ThrowsAsync<WriterBusyException>(() => Store.OpenWriterAsync(Key, Stop));
            await Assert.ThrowsAsync<WriterBusyException>(() => Store.DiscardAsync(Key, Stop));
            await writer.WriteAsync(Bytes, Stop);
            await writer.FlushAsync(Stop);
        }

        await using var next = await Store.OpenWriterAsync(Key, Stop);
        Assert.Equal(2 * Bytes.Length, next.Length);
    }

    [Fact]
    public async Task Who_was_taken_over_from_writes_nothing_more_and_comes_back_by_itself()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await writer.FlushAsync(Stop);
        await ShutOutAsync($"{_options.Prefix}staging.{Key}");

        await using var next = await Open().OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(new byte[] { 9, 9, 9 }, Stop);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.FlushAsync(Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.CommitAsync(Digest.Of(Bytes), Stop));

        await next.CommitAsync(Digest.Of(Bytes), Stop);
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task A_commit_that_was_cut_off_before_the_rename_is_undone_and_can_be_done_again()
    {
        var name = $"{_options.Prefix}staging.{Key}";
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(Bytes, Stop);
            await writer.FlushAsync(Stop);
        }

        await server.RunAsync("rbd", "image-meta", "set", name, "vitrine.digest", Digest.Of(Bytes).Hex);
        await server.RunAsync("rbd", "snap", "create", "--no-progress", $"{name}@snap");
        await server.RunAsync("rbd", "snap", "protect", $"{name}@snap");

        await using var next = await Open().OpenWriterAsync(Key, Stop);
        Assert.Equal(Bytes.Length, next.Length);
        await next.WriteAsync(new byte[] { 6 }, Stop);
        await next.CommitAsync(Digest.Of([.. Bytes, 6]), Stop);
        Assert.Equal([.. Bytes, 6], await ReadAllAsync(Store, Digest.Of([.. Bytes, 6])));
    }

    [Fact]
    public async Task A_rename_that_was_cut_off_in_its_middle_is_no_content_and_in_nobodys_way()
    {
        // What it leaves is an object that gives the name's image, and no entry in the pool's directory.
        var (name, staged) = (NameOf(Bytes), $"{_options.Prefix}staging.{Key}");
        await using (await Store.OpenWriterAsync(Key, Stop))
        {
            await server.RunAsync("rados", "cp", $"rbd_id.{staged}", $"rbd_id.{name}");
            Assert.Null(await Store.FindAsync(Digest.Of(Bytes), Stop));
            await Assert.ThrowsAsync<ContentMissingException>(() => Store.OpenAsync(Digest.Of(Bytes), Stop));
        }

        await server.RunAsync("rados", "cp", $"rbd_id.{staged}", $"rbd_id.{_options.Prefix}staging.other");
        await PutAsync(Store, new StagingKey("other"), Bytes);
        Assert.Equal(Digest.Of(Bytes), await ExportAsync(name));
    }

    [Fact]
    public async Task An_image_that_was_never_finished_is_made_anew()
    {
        await (await Store.OpenWriterAsync(Key, Stop)).DisposeAsync();
        var id = (await AskAsync("info", $"{_options.Prefix}staging.{Key}")).GetProperty("id").GetString();
        await server.RunAsync("rados", "rm", $"rbd_header.{id}");
        Assert.Single(await Store.ListStagedAsync(Stop).ToListAsync(Stop));

        await PutAsync(Store, Key, Bytes);
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
        Assert.Equal([NameOf(Bytes)], await ListNamesAsync());
    }

    [Fact]
    public async Task A_cluster_that_hangs_is_an_error_in_time_and_the_same_transfer_goes_on_after_it()
    {
        _options.RequestTimeout = TimeSpan.FromSeconds(2);
        var store = Open();
        var content = RandomNumberGenerator.GetBytes(24 * Mebi);
        await using var writer = await store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(content.AsMemory(0, 6 * Mebi), Stop);
        await writer.FlushAsync(Stop);

        await server.HoldAsync();
        try
        {
            await writer.WriteAsync(content.AsMemory(6 * Mebi, 6 * Mebi), Stop);
            var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.FlushAsync(Stop));
            Assert.Equal("The store 'main' cannot be used: its cluster did not write to an image in time.", failure.Message);
            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ProbeAsync(Stop));
        }
        finally
        {
            await server.GoOnAsync();
        }

        Assert.Equal(12 * Mebi, writer.Length);
        await writer.WriteAsync(content.AsMemory(12 * Mebi), Stop);
        await writer.FlushAsync(Stop);
        await server.HoldAsync();
        try
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.CommitAsync(Digest.Of(content), Stop));
        }
        finally
        {
            await server.GoOnAsync();
        }

        await writer.CommitAsync(Digest.Of(content), Stop);
        Assert.Equal(Digest.Of(content), await ExportAsync(NameOf(content)));
    }

    [Fact]
    public async Task Images_of_others_in_the_pool_are_no_content_and_stay()
    {
        var theirs = _options.Prefix + "somebody's";
        await server.RunAsync("rbd", "create", "--size", "1M", theirs);
        await PutAsync(Store, Key, Bytes);
        Assert.Single(await Store.ListAsync(Stop).ToListAsync(Stop));
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
        Assert.Equal([NameOf(Bytes), theirs], (await ListNamesAsync()).OrderBy(n => n == theirs));
    }

    [Fact]
    public async Task A_namespace_keeps_a_store_apart()
    {
        var name = $"n{_options.Prefix}"[..^1];
        await server.RunAsync("rbd", "namespace", "create", "--namespace", name);
        _options.Namespace = name;
        var store = Open();
        await PutAsync(store, Key, Bytes);
        Assert.Equal(Bytes, await ReadAllAsync(store, Digest.Of(Bytes)));
        Assert.Empty(await ListNamesAsync());
        Assert.Equal(NameOf(Bytes), (await server.RunAsync("rbd", "ls", "--namespace", name)).Trim());
    }

    [Fact]
    public async Task A_cluster_without_a_manager_has_no_known_capacity()
    {
        Assert.Equal(new StoreCapacity(null, null), await Store.MeasureAsync(Stop));
    }

    [Theory]
    [InlineData("""{"pools": [{"name": "other"}, {"name": "images", "stats": {"stored": 100, "max_avail": 900, "quota_bytes": 0}}]}""", 1000L, 900L)]
    [InlineData("""{"pools": [{"name": "images", "stats": {"stored": 100, "max_avail": 900, "quota_bytes": 500}}]}""", 500L, 400L)]
    [InlineData("""{"pools": [{"name": "images", "stats": {"stored": 600, "max_avail": 900, "quota_bytes": 500}}]}""", 500L, 0L)]
    [InlineData("""{"pools": [{"name": "images", "stats": {"stored": 100, "max_avail": 0}}]}""", 100L, 0L)]
    [InlineData("""{"pools": [{"name": "images", "stats": {"stored": 0, "max_avail": 0}}]}""", null, null)]
    [InlineData("""{"pools": [{"name": "images", "stats": {"stored": "much"}}]}""", null, null)]
    [InlineData("""{"pools": []}""", null, null)]
    [InlineData("[", null, null)]
    public void The_capacity_is_that_of_the_pool_and_its_quota(string answer, long? total, long? free)
    {
        Assert.Equal(new StoreCapacity(total, free), PoolCapacity.Parse(Encoding.UTF8.GetBytes(answer), "images"));
    }

    [Fact]
    public async Task A_full_cluster_is_full_and_takes_more_when_it_has_room_again()
    {
        var content = RandomNumberGenerator.GetBytes(6 * Mebi);
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(content.AsMemory(0, Mebi), Stop);
        await writer.FlushAsync(Stop);
        await SetFullAsync("0.00001");
        try
        {
            await WhenFullAsync();
            await writer.WriteAsync(content.AsMemory(Mebi), Stop);
            await Assert.ThrowsAsync<StoreFullException>(() => writer.FlushAsync(Stop));
        }
        finally
        {
            await SetFullAsync("0.95");
        }

        await WhenRoomAsync(writer);
        Assert.Equal(content.Length, writer.Length);
        await writer.CommitAsync(Digest.Of(content), Stop);
        Assert.Equal(Digest.Of(content), await ExportAsync(NameOf(content)));
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("a/b")]
    [InlineData("a@snap")]
    [InlineData("")]
    [InlineData("UPPER")]
    public async Task A_key_that_is_no_plain_name_is_refused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.OpenWriterAsync(new StagingKey(key), Stop));
    }

    [Fact]
    public async Task What_is_configured_wrongly_is_named()
    {
        await AssertFailsAsync(o => o.Pool = "missing", "its cluster has no pool 'missing'.");
        await AssertFailsAsync(o => o.User = "nobody", "its cluster refuses client.nobody: its key is another, or not in the keyring.");
        await AssertFailsAsync(o => o.Keyring += ".missing", Refused);
        await AssertFailsAsync(o => o.ConfigFile = o.Keyring!, "the keyring of client.images is not there, or no monitors are configured.");
        await AssertFailsAsync(o => (o.Monitors, o.RequestTimeout) = ("127.0.0.1:1", TimeSpan.FromSeconds(1)), "none of its cluster's monitors answers.");
    }

    [Fact]
    public async Task A_key_that_the_cluster_does_not_know_is_refused()
    {
        var keyring = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(keyring, $"[client.images]\n\tkey = AQBSdFhlAAAAABAAyTZ2iCvIyTx9bTDRTNhXDQ==\n", Stop);
            await AssertFailsAsync(o => o.Keyring = keyring, Refused);
        }
        finally
        {
            File.Delete(keyring);
        }
    }

    [Fact]
    public async Task No_configuration_file_is_needed_where_the_monitors_and_the_keyring_are_named()
    {
        (_options.ConfigFile, _options.Monitors) = ("", await server.FindMonitorAsync());
        var store = Open();
        await PutAsync(store, Key, Bytes);
        Assert.Equal(Bytes, await ReadAllAsync(store, Digest.Of(Bytes)));
    }

    [Theory]
    [InlineData("", "", null, null, "Without a ConfigFile, Monitors and Keyring are needed.")]
    [InlineData("", "images", "10.0.0.1", "/etc/hostname", null)]
    [InlineData("/nowhere/ceph.conf", "images", null, null, "Ceph's configuration file /nowhere/ceph.conf is not there.")]
    [InlineData("/etc/hostname", "images", null, "/nowhere/keyring", "The keyring /nowhere/keyring is not there.")]
    [InlineData("/etc/hostname", "images", null, null, null)]
    public void What_is_missing_is_said_before_anything_is_tried(string file, string pool, string? monitors, string? keyring, string? fault)
    {
        var options = new RbdStoreOptions { ConfigFile = file, Pool = pool, User = "images", Monitors = monitors, Keyring = keyring };
        Assert.Equal(fault, options.Validate(new ValidationContext(options)).Select(f => f.ErrorMessage).SingleOrDefault());
    }

    private async Task AssertFailsAsync(Action<RbdStoreOptions> change, string reason)
    {
        var options = await server.CreateImagesAsync();
        change(options);
        using var store = RbdStore.Open("main", options, TimeProvider.System);
        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.FindAsync(Digest.Of(Bytes), Stop));
        Assert.Equal($"The store 'main' cannot be used: {reason}", failure.Message);
    }

    private async Task SetFullAsync(string ratio)
    {
        foreach (var bound in new[] { "set-nearfull-ratio", "set-backfillfull-ratio", "set-full-ratio" })
            await server.AdministerAsync("osd", bound, ratio);
    }

    // The OSD looks at its room every few seconds.
    private async Task WhenFullAsync()
    {
        while (true)
        {
            try
            {
                await Store.ProbeAsync(Stop);
            }
            catch (StoreUnavailableException full)
            {
                Assert.Equal("The store 'main' cannot be used: there is no room left in it.", full.Message);
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop);
        }
    }

    private static async Task WhenRoomAsync(ContentWriter writer)
    {
        while (true)
        {
            try
            {
                await writer.FlushAsync(Stop);
                return;
            }
            catch (StoreFullException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop);
            }
        }
    }

    private RbdStore Open()
    {
        var store = RbdStore.Open("main", _options, TimeProvider.System);
        _opened.Add(store);
        return store;
    }

    private string NameOf(byte[] content) => _options.Prefix + Digest.Of(content).Hex;

    private async Task<IReadOnlyList<string>> ListNamesAsync() =>
        [.. (await server.RunAsync("rbd", "ls")).Split('\n').Where(n => n.StartsWith(_options.Prefix, StringComparison.Ordinal))];

    private async Task<JsonElement> AskAsync(params string[] arguments) =>
        JsonDocument.Parse(await server.RunAsync("rbd", [.. arguments, "--format", "json"])).RootElement;

    private async Task ShutOutAsync(string image)
    {
        foreach (var watcher in (await AskAsync("status", image)).GetProperty("watchers").EnumerateArray())
            await server.AdministerAsync("osd", "blocklist", "add", watcher.GetProperty("address").GetString()!);
    }

    private async Task<Digest> ExportAsync(string image)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.Delete(path);
            await server.RunAsync("rbd", "export", "--no-progress", image, path);
            return Digest.FromHash(SHA256.HashData(await File.ReadAllBytesAsync(path, Stop)));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
