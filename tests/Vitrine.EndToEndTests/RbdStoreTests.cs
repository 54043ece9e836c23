using System.Net;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Stores.Rbd;
using Vitrine.Testing;
using Vitrine.Testing.S3;
using Vitrine.Testing.Sources;

[assembly: AssemblyFixture(typeof(CephServer))]

namespace Vitrine.EndToEndTests;

/// <summary>A store in Ceph as an operator has it: the real server, a real cluster, Ceph's own tools.</summary>
public sealed class RbdStoreTests(CephServer ceph) : IAsyncLifetime
{
    private const int Kills = 6;
    private const int Images = 3;

    private ServerProcess _server = null!;
    private LibraryClient _client = null!;
    private string _prefix = "";

    public async ValueTask InitializeAsync()
    {
        var options = await ceph.CreateImagesAsync();
        _prefix = options.Prefix;
        _server = await ServerProcess.StartAsync(new Dictionary<string, string>(SettingsOf("main", options))
        {
            ["VITRINE_SOURCES__DIRECTORIES__0"] = Path.GetTempPath(),
        });
        _client = _server.NewClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task What_was_pushed_is_what_ceph_exports_and_what_comes_back()
    {
        var (file, copy, export) = (Path.Combine(_server.Data, "disk.raw"), Path.Combine(_server.Data, "copy.raw"), Path.Combine(_server.Data, "export.raw"));
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(40 << 20), Stop);
        await VitrineAsync("image", "push", file, "--name", "pushed");
        await VitrineAsync("image", "pull", "pushed", "--output", copy);
        var digest = await DigestOfAsync(file);
        await ceph.RunAsync("rbd", "export", "--no-progress", _prefix + digest, export);
        Assert.Equal(digest, await DigestOfAsync(copy));
        Assert.Equal(digest, await DigestOfAsync(export));

        await VitrineAsync("image", "delete", "pushed");
        Assert.Empty(await ListNamesAsync(_prefix));
    }

    [Fact]
    public async Task A_file_of_the_node_is_not_imported_into_a_pool()
    {
        var file = Path.Combine(_server.Data, "disk.raw");
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(1 << 20), Stop);
        var refused = await Assert.ThrowsAsync<LibraryClientException>(
            () => _client.CreateImageAsync(new ImageCreate { Name = "local", Source = new ImageSource { Url = new Uri(file).AbsoluteUri } }, Stop));
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("of the kind rbd", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await _client.ListImagesAsync([], Stop).ToListAsync(Stop));
    }

    [FactWithTool("qemu-img")]
    public async Task A_qcow2_that_is_pushed_is_a_raw_disk_in_ceph_and_the_file_that_came_is_known()
    {
        var (raw, file, export) = (Path.Combine(_server.Data, "disk.raw"), Path.Combine(_server.Data, "disk.qcow2"), Path.Combine(_server.Data, "export.raw"));
        await File.WriteAllBytesAsync(raw, RandomNumberGenerator.GetBytes(24 << 20), Stop);
        await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, file], Stop);
        await VitrineAsync("image", "push", file, "--name", "converted");

        var image = await _client.ListImagesAsync([], Stop).SingleAsync(Stop);
        Assert.Equal(("raw", await DigestOfAsync(raw)), (image.Format, image.Sha256));
        Assert.Equal((await DigestOfAsync(file), "qcow2"), (image.SourceFile!.Sha256, image.SourceFile.Format));
        await ceph.RunAsync("rbd", "export", "--no-progress", _prefix + image.Sha256, export);
        Assert.Equal(image.Sha256, await DigestOfAsync(export));
    }

    [Fact]
    public async Task Images_are_copied_into_a_pool_move_on_to_another_store_and_come_back()
    {
        const string Away = "away";
        const string Local = "local";
        var away = await ceph.CreateImagesAsync();
        var directory = Directory.CreateDirectory(Path.Combine(_server.Data, Local)).FullName;
        await _server.KillAsync();
        await _server.StartAgainAsync(new Dictionary<string, string>(SettingsOf(Away, away))
        {
            ["VITRINE_STORES__main__DEFAULT"] = "true",
            [$"VITRINE_STORES__{Local}__KIND"] = "directory",
            [$"VITRINE_STORES__{Local}__PATH"] = directory,
        });

        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in new[] { "one", "two" })
        {
            // With a hole, and of a length that ends within an object of the pool.
            var (file, bytes) = (Path.Combine(_server.Data, name), RandomNumberGenerator.GetBytes((9 << 20) + 4096));
            bytes.AsSpan(1 << 20, 5 << 20).Clear();
            await File.WriteAllBytesAsync(file, bytes, Stop);
            await VitrineAsync("image", "push", file, "--name", name, "--store", Local);
            digests[name] = await DigestOfAsync(file);
        }

        // Before each image is pulled, it is taken away from where else it is.
        Assert.Contains("Store main: 2 images copied", await VitrineAsync("store", "copy", Local, "main"), StringComparison.Ordinal);
        foreach (var name in digests.Keys)
            await VitrineAsync("image", "delete", name, "--store", Local);
        Assert.Empty(Directory.GetFiles(Path.Combine(directory, "content"), "*", SearchOption.AllDirectories));
        await AssertPulledFromAsync("main", digests);
        await AssertExportedAsync(_prefix, digests);

        Assert.Contains($"Store {Away}: 2 images copied", await VitrineAsync("store", "migrate", "main", Away), StringComparison.Ordinal);
        Assert.Contains("one", await VitrineAsync("store", "cleanup", "main"), StringComparison.Ordinal);
        Assert.Equal(2, (await ListNamesAsync(_prefix)).Count);
        Assert.Contains("2 images removed", await VitrineAsync("store", "cleanup", "main", "--confirm"), StringComparison.Ordinal);
        Assert.Empty(await ListNamesAsync(_prefix));
        await AssertPulledFromAsync(Away, digests);
        await AssertExportedAsync(away.Prefix, digests);

        Assert.Contains($"Store {Local}: 2 images copied", await VitrineAsync("store", "sync", Local, "--from", Away), StringComparison.Ordinal);
        foreach (var name in digests.Keys)
            await VitrineAsync("image", "delete", name, "--store", Away);
        Assert.Empty(await ListNamesAsync(away.Prefix));
        await AssertPulledFromAsync(Local, digests);
    }

    [Fact]
    public async Task Every_image_arrives_whole_however_often_the_server_is_killed()
    {
        await using var mirror = ScriptedHttpServer.Start();
        var random = new Random(20261121);
        var files = new Dictionary<string, ScriptedFile>(StringComparer.Ordinal);
        for (var i = 0; i < Images; i++)
        {
            var file = mirror.Serve($"/{i}.img", ScriptedContent.Generated(random.Next(8 << 20, 16 << 20), (ulong)random.NextInt64()));
            file.BytesPerSecond = 4 << 20;
            var image = new ImageCreate { Name = $"image {i}", Source = new ImageSource { Url = mirror.AddressOf($"/{i}.img").ToString() } };
            files[(await _client.CreateImageAsync(image, Stop)).Image.Id] = file;
        }

        for (var kills = 0; await AnyOpenAsync(); kills++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 900)), TimeProvider.System, Stop);
            if (kills >= Kills)
                continue;

            await _server.KillAsync();
            await _server.StartAgainAsync();
        }

        foreach (var (id, file) in files)
        {
            var image = await _client.GetImageAsync(id, Stop);
            Assert.True(image.Status == "active", $"{image.Name} is {image.Status}: {image.Failure?.Cause}");
            Assert.Equal(file.Content.Sum(HashAlgorithmName.SHA256), image.Sha256);
            var export = Path.Combine(_server.Data, id);
            await ceph.RunAsync("rbd", "export", "--no-progress", _prefix + image.Sha256, export);
            Assert.Equal(image.Sha256, await DigestOfAsync(export));
        }

        Assert.Equal(files.Count, (await ListNamesAsync(_prefix)).Count);
    }

    private async Task<bool> AnyOpenAsync()
    {
        await foreach (var image in _client.ListImagesAsync([], Stop))
        {
            if (image.Status == "importing")
                return true;
        }

        return false;
    }

    private async Task AssertPulledFromAsync(string store, Dictionary<string, string> digests)
    {
        foreach (var (name, digest) in digests)
        {
            var image = await _client.ListImagesAsync([new("name", name)], Stop).SingleAsync(Stop);
            Assert.Equal([(store, "ready")], image.Replicas.Select(r => (r.Store, r.State)));
            var pulled = Path.Combine(_server.Data, $"{name}-{store}");
            await VitrineAsync("image", "pull", name, "--output", pulled);
            Assert.Equal(digest, await DigestOfAsync(pulled));
        }
    }

    private async Task AssertExportedAsync(string prefix, Dictionary<string, string> digests)
    {
        Assert.Equal(digests.Values.Select(d => prefix + d).Order(StringComparer.Ordinal), (await ListNamesAsync(prefix)).Order(StringComparer.Ordinal));
        foreach (var digest in digests.Values)
        {
            var export = Path.Combine(_server.Data, $"{prefix}{digest}");
            await ceph.RunAsync("rbd", "export", "--no-progress", prefix + digest, export);
            Assert.Equal(digest, await DigestOfAsync(export));
        }
    }

    private static Dictionary<string, string> SettingsOf(string store, RbdStoreOptions options) => new()
    {
        [$"VITRINE_STORES__{store}__KIND"] = "rbd",
        [$"VITRINE_STORES__{store}__CONVERT__any"] = "raw",
        [$"VITRINE_STORES__{store}__RBD__CONFIGFILE"] = options.ConfigFile,
        [$"VITRINE_STORES__{store}__RBD__KEYRING"] = options.Keyring!,
        [$"VITRINE_STORES__{store}__RBD__USER"] = options.User,
        [$"VITRINE_STORES__{store}__RBD__POOL"] = options.Pool,
        [$"VITRINE_STORES__{store}__RBD__PREFIX"] = options.Prefix,
    };

    private async Task<IReadOnlyList<string>> ListNamesAsync(string prefix) =>
        [.. (await ceph.RunAsync("rbd", "ls")).Split('\n').Where(n => n.StartsWith(prefix, StringComparison.Ordinal))];

    private async Task<string> VitrineAsync(params string[] arguments) =>
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), arguments, _server.VitrineEnvironment)).Succeeded();

    private static async Task<string> DigestOfAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
