using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Vitrine.Client;
using Vitrine.Stores.Objects.S3;
using Vitrine.Testing;
using Vitrine.Testing.S3;
using Vitrine.Testing.Sources;

namespace Vitrine.EndToEndTests;

/// <summary>A store in a bucket of a real radosgw, as an operator has it, on good days and on those when either of both dies.</summary>
public sealed class BucketStoreTests(CephServer ceph) : IClassFixture<CephServer>, IAsyncLifetime
{
    // A gateway may take half a minute to come up where the machine is busy.
    private const int Patient = 40;
    private const int Hasty = 1;

    // Slow enough that a second brings less than what is worth sending straight to its last place, and fast enough that it brings more.
    private const int SlowSource = 8 << 20;
    private const int FastSource = 48 << 20;

    // What a kill costs is what came in the last few seconds.
    private const double MostFetched = 1.6;

    private readonly string _folder = Directory.CreateTempSubdirectory("vitrine-bucket-").FullName;
    private ServerProcess? _server;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();

        Directory.Delete(_folder, recursive: true);
    }

    [FactWithTool("radosgw")]
    public async Task An_image_comes_back_from_the_bucket_as_it_went_in()
    {
        var server = await StartServerAsync(Patient);
        var file = await MakeDiskAsync();

        var pushed = JsonSerializer.Deserialize(
            await VitrineAsync("image", "push", file, "--name", "real", "--json"), LibraryJson.Default.ImageRecord)!;
        var twin = JsonSerializer.Deserialize(
            await VitrineAsync("image", "push", file, "--name", "twin", "--json"), LibraryJson.Default.ImageRecord)!;
        await server.KillAsync();
        await server.StartAgainAsync();
        var pulled = Path.Combine(_folder, "pulled");
        await VitrineAsync("image", "pull", "real", "-o", pulled);

        Assert.Equal((await SumAsync(file), pushed.Sha256), (pushed.Sha256, twin.Sha256));
        Assert.Equal(pushed.Sha256, await SumAsync(pulled));
        await Tool.RunAsync("qemu-img", ["check", pulled], Stop);
    }

    [FactWithTool("radosgw")]
    public async Task An_import_goes_on_when_the_gateway_is_back()
    {
        await StartServerAsync(Patient);
        await AssertImportSurvivesAsync(96 << 20, FastSource, async () =>
        {
            await ceph.KillGatewayAsync();
            await ceph.StartGatewayAsync();
        });
    }

    [TheoryWithTool("radosgw")]
    [InlineData(24 << 20, SlowSource)]
    [InlineData(96 << 20, FastSource)]
    public async Task An_import_goes_on_when_the_server_is_back(int length, int rate)
    {
        var server = await StartServerAsync(Patient);
        await AssertImportSurvivesAsync(length, rate, async () =>
        {
            await server.KillAsync();
            await server.StartAgainAsync();
        });
    }

    [FactWithTool("radosgw")]
    public async Task A_download_goes_on_when_the_gateway_is_back()
    {
        await StartServerAsync(Patient);
        var image = await PushRandomAsync(64 << 20);
        using var download = await BeginDownloadAsync(image);
        await ceph.KillGatewayAsync();
        await ceph.StartGatewayAsync();

        Assert.Equal(image.Sha256, await SumAsync(download));
    }

    [FactWithTool("radosgw")]
    public async Task A_download_breaks_off_where_the_gateway_stays_away_and_is_right_when_it_is_repeated()
    {
        await StartServerAsync(Hasty);
        var image = await PushRandomAsync(64 << 20);
        using (var download = await BeginDownloadAsync(image))
        {
            await ceph.KillGatewayAsync();
            await Assert.ThrowsAnyAsync<IOException>(() => SumAsync(download));
        }

        await ceph.StartGatewayAsync();
        using var repeated = await BeginDownloadAsync(image);
        Assert.Equal(image.Sha256, await SumAsync(repeated));
    }

    [FactWithTool("radosgw")]
    public async Task Copies_take_the_address_for_them_from_the_next_one_on_and_nothing_else_does()
    {
        const int Size = 12 << 20;
        const int Words = 1 << 20;
        var place = await ceph.CreatePlaceAsync();
        var gateway = new Uri(place.Endpoint).Port;
        await using var main = NetworkLink.To(gateway);
        await using var sync = NetworkLink.At(IPAddress.Parse("127.0.0.2"), gateway);
        var settings = SettingsOf(place, Patient);
        settings["VITRINE_STORES__bucket__S3__ENDPOINT"] = $"http://127.0.0.1:{main.Port}";
        foreach (var name in new[] { "first", "second" })
            settings[$"VITRINE_STORES__{name}__PATH"] = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        settings["VITRINE_STORES__first__DEFAULT"] = "true";
        _server = await ServerProcess.StartAsync(settings);
        var image = await PushRandomAsync(Size);

        // What is no store, or another, is not taken.
        Assert.Equal(1, (await TryVitrineAsync("store", "set", "bucket", "--sync-address", _server.Url)).ExitCode);
        Assert.DoesNotContain("copies by", await VitrineAsync("store", "show", "bucket"), StringComparison.Ordinal);
        await VitrineAsync("store", "set", "bucket", "--sync-address", $"http://127.0.0.2:{sync.Port}");
        Assert.Contains("copies by", await VitrineAsync("store", "show", "bucket"), StringComparison.Ordinal);

        await AssertTakesAsync(sync, main, () => VitrineAsync("store", "copy", "first", "bucket"));
        await VitrineAsync("image", "delete", image.Id, "--store", "first");
        await AssertTakesAsync(sync, main, () => VitrineAsync("store", "copy", "bucket", "second"));
        await AssertTakesAsync(main, sync, async () =>
        {
            await VitrineAsync("image", "delete", image.Id, "--store", "second");
            await VitrineAsync("image", "pull", image.Id, "-o", Path.Combine(_folder, "pulled"));
        });
        Assert.Equal(image.Sha256, await SumAsync(Path.Combine(_folder, "pulled")));

        await VitrineAsync("store", "set", "bucket", "--sync-address", "none");
        await PushRandomAsync(Size);
        await AssertTakesAsync(main, sync, () => VitrineAsync("store", "copy", "first", "bucket"));

        async Task AssertTakesAsync(NetworkLink one, NetworkLink other, Func<Task> work)
        {
            var (before, beside) = (one.Carried, other.Carried);
            await work();
            Assert.InRange(one.Carried - before, Size, 2 * Size);
            Assert.InRange(other.Carried - beside, 0, Words);
        }
    }

    private async Task<ServerProcess> StartServerAsync(int retries) =>
        _server = await ServerProcess.StartAsync(SettingsOf(await ceph.CreatePlaceAsync(), retries));

    private static Dictionary<string, string> SettingsOf(S3StoreOptions place, int retries) => new()
    {
        ["VITRINE_STORES__bucket__KIND"] = "s3",
        ["VITRINE_STORES__bucket__S3__ENDPOINT"] = place.Endpoint,
        ["VITRINE_STORES__bucket__S3__BUCKET"] = place.Bucket,
        ["VITRINE_STORES__bucket__S3__PREFIX"] = place.Prefix,
        ["VITRINE_STORES__bucket__S3__ACCESSKEY"] = place.AccessKey,
        ["VITRINE_STORES__bucket__S3__SECRETKEY"] = place.SecretKey,
        ["VITRINE_STORES__bucket__S3__RETRIES"] = $"{retries}",
    };

    private async Task AssertImportSurvivesAsync(int length, int rate, Func<Task> accident)
    {
        await using var mirror = ScriptedHttpServer.Start();
        using var client = _server!.NewClient();
        var file = mirror.Serve("/disk.raw", ScriptedContent.Generated(length));
        file.BytesPerSecond = rate;
        var created = await client.CreateImageAsync(
            new ImageCreate { Name = "imported", Source = new ImageSource { Url = mirror.AddressOf("/disk.raw").ToString() } }, Stop);
        await WhenMovedAsync(client, created.Transfer!.Id, length / 2);
        await accident();
        file.BytesPerSecond = null;
        var transfer = await client.WatchTransferAsync(created.Transfer.Id, Stop).LastAsync(Stop);

        Assert.Equal(("done", null), (transfer.State, transfer.Failure?.Cause));
        var image = await client.GetImageAsync(created.Image.Id, Stop);
        Assert.Equal(("active", file.Content.Sum(HashAlgorithmName.SHA256)), (image.Status, image.Sha256));
        Assert.True(file.BytesSent < length * MostFetched, $"{file.BytesSent} bytes were fetched for {length}");
        using var download = await BeginDownloadAsync(image);
        Assert.Equal(image.Sha256, await SumAsync(download));
    }

    private static async Task WhenMovedAsync(LibraryClient client, string transfer, long moved)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(2);)
        {
            if ((await client.GetTransferAsync(transfer, Stop)).Moved >= moved)
                return;

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
        }

        throw new TimeoutException("The import did not come so far.");
    }

    private async Task<ImageRecord> PushRandomAsync(int length)
    {
        var file = Path.Combine(_folder, "random");
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(length), Stop);
        return JsonSerializer.Deserialize(await VitrineAsync("image", "push", file, "--name", "random", "--json"), LibraryJson.Default.ImageRecord)!;
    }

    // A file system with files in it.
    private async Task<string> MakeDiskAsync()
    {
        var (raw, disk) = (Path.Combine(_folder, "disk.raw"), Path.Combine(_folder, "disk.qcow2"));
        await using (var made = File.Create(raw))
            made.SetLength(256 << 20);

        await Tool.RunAsync("mkfs.ext4", ["-q", "-F", "-d", "/usr/share/perl", raw], Stop);
        await Tool.RunAsync("qemu-img", ["convert", "-O", "qcow2", raw, disk], Stop);
        return disk;
    }

    /// <returns>What comes of the download, after its head and as much as is read here.</returns>
    private async Task<Stream> BeginDownloadAsync(ImageRecord image)
    {
        using var client = _server!.NewClient();
        var login = await client.LogInAsync(
            new TokenRequest { User = "admin", Password = _server.VitrineEnvironment["VITRINE_PASSWORD"], Project = "admin" }, Stop);
        var http = new HttpClient(new SocketsHttpHandler());
        http.DefaultRequestHeaders.Authorization = new("Bearer", login.Token);
        return await http.GetStreamAsync(new Uri($"{_server.Url}/api/v1/images/{image.Id}/file"), Stop);
    }

    private static async Task<string> SumAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return await SumAsync(file);
    }

    private static async Task<string> SumAsync(Stream stream) => Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, Stop));

    private async Task<string> VitrineAsync(params string[] words) => (await TryVitrineAsync(words)).Succeeded();

    private Task<CommandResult> TryVitrineAsync(params string[] words) =>
        Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), words, _server!.VitrineEnvironment);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
