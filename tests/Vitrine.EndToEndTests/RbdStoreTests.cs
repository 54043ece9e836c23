using System.Net;
using System.Security.Cryptography;
using Vitrine.Client;
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
        _server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_SOURCES__DIRECTORIES__0"] = Path.GetTempPath(),
            ["VITRINE_STORES__main__KIND"] = "rbd",
            ["VITRINE_STORES__main__CONVERT__any"] = "raw",
            ["VITRINE_STORES__main__RBD__CONFIGFILE"] = options.ConfigFile,
            ["VITRINE_STORES__main__RBD__KEYRING"] = options.Keyring!,
            ["VITRINE_STORES__main__RBD__USER"] = options.User,
            ["VITRINE_STORES__main__RBD__POOL"] = options.Pool,
            ["VITRINE_STORES__main__RBD__PREFIX"] = options.Prefix,
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
        Assert.Empty(await ListNamesAsync());
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

        Assert.Equal(files.Count, (await ListNamesAsync()).Count);
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

    private async Task<IReadOnlyList<string>> ListNamesAsync() =>
        [.. (await ceph.RunAsync("rbd", "ls")).Split('\n').Where(n => n.StartsWith(_prefix, StringComparison.Ordinal))];

    private async Task VitrineAsync(params string[] arguments) =>
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), arguments, _server.VitrineEnvironment)).Succeeded();

    private static async Task<string> DigestOfAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
