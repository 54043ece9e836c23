using System.Diagnostics;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>A server with stores in two zones, by the real command line and the stock client.</summary>
public sealed class ManyStoresTests : IAsyncLifetime
{
    private const string First = "first";
    private const string Dense = "dense";
    private const string Far = "far";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string _data = Directory.CreateTempSubdirectory("vitrine-e2e-").FullName;
    private readonly Dictionary<string, string> _settings = [];
    private ServerProcess _server = null!;
    private LibraryClient _client = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        foreach (var (name, kind, zone) in new[] { (First, "directory", "default"), (Dense, "chunked", "default"), (Far, "directory", "elsewhere") })
        {
            _settings[$"VITRINE_STORES__{name}__KIND"] = kind;
            _settings[$"VITRINE_STORES__{name}__PATH"] = Directory.CreateDirectory(Path.Combine(_data, name)).FullName;
            _settings[$"VITRINE_STORES__{name}__ZONE"] = zone;
        }

        _settings[$"VITRINE_STORES__{First}__DEFAULT"] = "true";
        _server = await ServerProcess.StartAsync(_settings, _data);
        _client = _server.NewClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_store_is_emptied_into_another_and_cleaned_up()
    {
        var files = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            files.Add(await NewFileAsync($"image-{i}", 3 << 20));
            await VitrineAsync("image", "push", files[i], "--name", $"image-{i}");
        }

        await VitrineAsync("image", "copy", "image-0", "--zone", "elsewhere");
        await VitrineAsync("store", "set", First, "--mode", "draining");
        var refused = await TryVitrineAsync("image", "push", files[0], "--name", "too late");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("is being drained", refused.Error, StringComparison.Ordinal);

        Assert.Contains("3 images copied, 9.0 MiB, 0 failed", await VitrineAsync("store", "sync", Dense, "--from", First, "--move"), StringComparison.Ordinal);
        Assert.Contains("3 images that moved away, 9.0 MiB", await VitrineAsync("store", "show", First), StringComparison.Ordinal);
        Assert.Contains("image-1", await VitrineAsync("store", "cleanup", First), StringComparison.Ordinal);
        Assert.Equal(3, Contents(First).Length);
        Assert.Contains("3 images removed", await VitrineAsync("store", "cleanup", First, "--confirm"), StringComparison.Ordinal);
        Assert.Empty(Contents(First));

        Assert.Equal([(Dense, "ready"), (Far, "ready")], await ReplicasAsync("image-0"));
        await VitrineAsync("image", "delete", "image-0", "--store", Far);
        for (var i = 0; i < 3; i++)
        {
            var pulled = Path.Combine(_data, $"pulled-{i}");
            await VitrineAsync("image", "pull", $"image-{i}", "-o", pulled);
            Assert.Equal(await File.ReadAllBytesAsync(files[i], Stop), await File.ReadAllBytesAsync(pulled, Stop));
        }

        var last = await TryVitrineAsync("image", "delete", "image-0", "--store", Dense);
        Assert.Contains("has the only content", last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_of_all_stores_leaves_out_what_is_out_of_reach_and_says_so()
    {
        await VitrineAsync("image", "push", await NewFileAsync("image", 1 << 20), "--name", "image", "--store", First);
        Directory.Move(Path.Combine(_data, Dense), Path.Combine(_data, "unmounted"));

        var all = await TryVitrineAsync("store", "report");
        Assert.Equal(1, all.ExitCode);
        Assert.Contains($"The store '{Dense}' cannot be used", all.Error, StringComparison.Ordinal);
        Assert.Contains($"Store {First} (directory): 1.0 MiB of images", all.Output, StringComparison.Ordinal);
        Assert.Contains($"Store {Far} (directory) is empty", all.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_for_all_zones_comes_to_each_by_itself_and_to_one_that_is_added_later()
    {
        const string Later = "later";
        var file = await NewFileAsync("image", 3 << 20);
        await VitrineAsync("image", "push", file, "--name", "everywhere", "--all-zones", "true");
        await VitrineAsync("image", "push", file, "--name", "here");
        await WhenReadyInAsync("everywhere", Far);
        Assert.Equal([(Far, "ready"), (First, "ready")], await ReplicasAsync("everywhere"));

        await _server.KillAsync();
        await _server.StartAgainAsync(new Dictionary<string, string>
        {
            [$"VITRINE_STORES__{Later}__KIND"] = "chunked",
            [$"VITRINE_STORES__{Later}__PATH"] = Directory.CreateDirectory(Path.Combine(_data, Later)).FullName,
            [$"VITRINE_STORES__{Later}__ZONE"] = Later,
        });
        await VitrineAsync("store", "set", Later, "--replicate-to", Dense);
        await WhenReadyInAsync("everywhere", Later);
        await WhenReadyInAsync("everywhere", Dense);
        Assert.Equal([(First, "ready")], await ReplicasAsync("here"));
        foreach (var store in new[] { First, Far })
            Directory.Move(Path.Combine(_data, store), Path.Combine(_data, $"{store}-unmounted"));
        var pulled = Path.Combine(_data, "pulled");
        await VitrineAsync("image", "pull", "everywhere", "-o", pulled);
        Assert.Equal(await SumAsync(file), await SumAsync(pulled));
    }

    [Fact]
    public async Task Copies_go_on_after_the_server_was_killed()
    {
        const int Size = 96 << 20;
        var file = await NewFileAsync("large", Size);
        await VitrineAsync("image", "push", file, "--name", "large");
        var image = await FindAsync("large");
        var copies = await _client.CopyImageAsync(image.Id, new CopyRequest { AllStores = true }, Stop);
        Assert.Equal(2, copies.Count);
        await WhenMovingAsync(copies[0].Id);
        await _server.KillAsync();
        await _server.StartAgainAsync();

        foreach (var copy in copies)
            Assert.Equal("done", (await _client.WatchTransferAsync(copy.Id, Stop).LastAsync(Stop)).State);
        Assert.Equal([(Dense, "ready"), (Far, "ready"), (First, "ready")], await ReplicasAsync("large"));
        foreach (var store in new[] { First, Far })
            await VitrineAsync("image", "delete", "large", "--store", store);
        var pulled = Path.Combine(_data, "pulled");
        await VitrineAsync("image", "pull", "large", "-o", pulled);
        Assert.Equal(await SumAsync(file), await SumAsync(pulled));
    }

    [FactWithTool("glance")]
    public async Task Glance_s_own_client_copies_an_image_to_stores_and_takes_it_out_of_one()
    {
        var file = await NewFileAsync("disk", 1 << 20);
        await GlanceAsync("image-create", "--disk-format", "raw", "--container-format", "bare", "--file", file, "--name", "disk");
        var image = await FindAsync("disk");
        await GlanceAsync("image-import", "--import-method", "copy-image", "--stores", $"{Dense},{Far}", image.Id);
        foreach (var copy in await TransfersAsync(image.Id))
            await _client.WatchTransferAsync(copy.Id, Stop).LastAsync(Stop);

        Assert.Matches($@"stores +\| {Dense},{Far},{First} ", await GlanceAsync("image-show", image.Id));
        Assert.Contains($"\"id\": \"{Far}\"", await GlanceAsync("stores-info"), StringComparison.Ordinal);
        await GlanceAsync("stores-delete", "--store", First, image.Id);
        Assert.Equal([(Dense, "ready"), (Far, "ready")], await ReplicasAsync("disk"));
        var saved = Path.Combine(_data, "saved");
        await GlanceAsync("image-download", "--file", saved, image.Id);
        Assert.Equal(await SumAsync(file), await SumAsync(saved));
    }

    private string[] Contents(string store) => Directory.GetFiles(Path.Combine(_data, store, "content"), "*", SearchOption.AllDirectories);

    private async Task<string> NewFileAsync(string name, int size)
    {
        var path = Path.Combine(_data, name);
        await File.WriteAllBytesAsync(path, RandomNumberGenerator.GetBytes(size), Stop);
        return path;
    }

    private static async Task<string> SumAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, Stop));
    }

    private async Task<ImageRecord> FindAsync(string name) => await _client.ListImagesAsync([new("name", name)], Stop).SingleAsync(Stop);

    private async Task<IEnumerable<(string Store, string State)>> ReplicasAsync(string name) =>
        (await FindAsync(name)).Replicas.Select(r => (r.Store, r.State));

    private ValueTask<List<TransferRecord>> TransfersAsync(string image) => _client.ListTransfersAsync([new("image", image)], Stop).ToListAsync(Stop);

    private async Task WhenReadyInAsync(string name, string store)
    {
        var began = Stopwatch.GetTimestamp();
        while (!(await ReplicasAsync(name)).Contains((store, "ready")))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"The store '{store}' never got '{name}'.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop);
        }
    }

    private async Task WhenMovingAsync(string transfer)
    {
        await foreach (var state in _client.WatchTransferAsync(transfer, Stop))
        {
            if (state.Moved > 0 || state.IsOver)
                return;
        }
    }

    private async Task<string> VitrineAsync(params string[] words) => (await TryVitrineAsync(words)).Succeeded();

    private Task<CommandResult> TryVitrineAsync(params string[] words) =>
        Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), words, _server.VitrineEnvironment);

    private async Task<string> GlanceAsync(params string[] words) =>
        (await Command.RunAsync("glance", words, _server.OpenStackEnvironment)).Succeeded();
}
