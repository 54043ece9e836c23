using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Vitrine.Client;

namespace Vitrine.EndToEndTests;

/// <summary>A chunked store as an operator has it: the real server, the real command line, the files on the disk.</summary>
public sealed class ChunkedStoreTests : IAsyncLifetime
{
    private const string Store = "main";
    private const int Part = 6 << 20;

    private readonly string _data = Directory.CreateTempSubdirectory("vitrine-e2e-").FullName;
    private ServerProcess _server = null!;
    private LibraryClient _client = null!;

    private string Root => Path.Combine(_data, "chunks");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Root);
        _server = await ServerProcess.StartAsync(
            new Dictionary<string, string>
            {
                [$"VITRINE_STORES__{Store}__KIND"] = "chunked",
                [$"VITRINE_STORES__{Store}__PATH"] = Root,
                [$"VITRINE_STORES__{Store}__CHUNKED__COLLECTIONGRACE"] = "00:00:00",
            },
            _data);
        _client = _server.NewClient();

        // The collection that is due in a new store would be in the way of those that the tests ask for.
        await WhenAsync(operations => operations.Any(o => o.State == "done"));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Images_that_share_half_their_blocks_share_half_their_room()
    {
        var (first, second) = await PushTwinsAsync();
        var report = await ReportAsync();
        Assert.Equal(4L * Part, report.Logical);
        AssertAddsUp(report);
        Assert.InRange(report.Shared, Part, Part + Part / 20);
        Assert.InRange(report.Unique, 2L * Part, 2L * Part + Part / 10);
        Assert.All(report.Contents, c => Assert.InRange(c.Unique, Part, Part + Part / 20));
        Assert.Equal(["first", "second"], report.Contents.SelectMany(c => c.Images).Select(i => i.Name).Order(StringComparer.Ordinal));
        Assert.Contains("24 MiB of images in 18 MiB, 1.3", await VitrineAsync("store", "report", Store), StringComparison.Ordinal);

        await VitrineAsync("image", "delete", "first");
        // What both had is moved out of the first image's pack, which goes as a whole after that.
        Assert.Contains("6.0 MiB moved, 12 MiB to be freed later", await VitrineAsync("store", "collect", Store), StringComparison.Ordinal);
        Assert.Contains("12 MiB freed", await VitrineAsync("store", "collect", Store), StringComparison.Ordinal);

        report = await ReportAsync();
        AssertAddsUp(report);
        Assert.InRange(report.Stored, 2L * Part, 2L * Part + Part / 10);
        Assert.Equal("second", Assert.Single(Assert.Single(report.Contents).Images).Name);
        var pulled = Path.Combine(_data, "pulled");
        await VitrineAsync("image", "pull", "second", "-o", pulled);
        Assert.Equal(await File.ReadAllBytesAsync(second, Stop), await File.ReadAllBytesAsync(pulled, Stop));
        Assert.True(File.Exists(first));
    }

    [Fact]
    public async Task A_scrub_names_the_image_that_a_flipped_bit_belongs_to()
    {
        await PushAsync("sound", RandomNumberGenerator.GetBytes(Part));
        Assert.Contains("0 faults", await VitrineAsync("store", "scrub", Store), StringComparison.Ordinal);

        var before = Packs().ToHashSet(StringComparer.Ordinal);
        var image = await PushAsync("damaged", RandomNumberGenerator.GetBytes(Part));
        await using (var pack = new FileStream(Packs().Single(p => !before.Contains(p)), FileMode.Open, FileAccess.ReadWrite))
        {
            pack.Position = Part / 2;
            var flipped = (byte)(pack.ReadByte() ^ 1);
            pack.Position = Part / 2;
            pack.WriteByte(flipped);
        }

        var scrub = await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), ["store", "scrub", Store], _server.VitrineEnvironment);
        Assert.Equal(1, scrub.ExitCode);
        Assert.Contains($"images concerned: damaged ({image.Id})", scrub.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("sound", scrub.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scrub_whose_server_is_killed_ends_after_the_restart()
    {
        await PushAsync("image", RandomNumberGenerator.GetBytes(Part));
        var id = await VitrineAsync("store", "scrub", Store, "--rate", "2M", "--no-wait");
        await WhenAsync(operations => operations.Any(o => o.Id == id && o is { State: "running", Done: > 0 }));
        await _server.KillAsync();
        await _server.StartAgainAsync();

        var last = await _client.WatchStoreOperationAsync(Store, id, Stop).LastAsync(Stop);
        Assert.Equal("done", last.State);
        Assert.True(last.Scrubbed!.Bytes >= Part);
        Assert.Empty(last.Scrubbed.Faults);
    }

    private string[] Packs() => Directory.GetFiles(Path.Combine(Root, "packs"), "*", SearchOption.AllDirectories);

    private static void AssertAddsUp(StoreReportRecord report)
    {
        Assert.Equal(report.Stored, report.Unique + report.Shared + report.Metadata + report.Staged + report.Collectable);
        Assert.Equal(report.Unique, report.Contents.Sum(c => c.Unique));
    }

    private async Task<(string First, string Second)> PushTwinsAsync()
    {
        var common = RandomNumberGenerator.GetBytes(Part);
        foreach (var name in new[] { "first", "second" })
            await PushAsync(name, [.. common, .. RandomNumberGenerator.GetBytes(Part)]);
        return (Path.Combine(_data, "first"), Path.Combine(_data, "second"));
    }

    private async Task<ImageRecord> PushAsync(string name, byte[] content)
    {
        var file = Path.Combine(_data, name);
        await File.WriteAllBytesAsync(file, content, Stop);
        return JsonSerializer.Deserialize(await VitrineAsync("image", "push", file, "--name", name, "--json"), LibraryJson.Default.ImageRecord)!;
    }

    private async Task<StoreReportRecord> ReportAsync() =>
        JsonSerializer.Deserialize(await VitrineAsync("store", "report", Store, "--json"), LibraryJson.Default.StoreReportRecord)!;

    private async Task<string> VitrineAsync(params string[] words) =>
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), words, _server.VitrineEnvironment)).Succeeded();

    private async Task WhenAsync(Func<IReadOnlyList<StoreOperationRecord>, bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(2);)
        {
            if (condition(await _client.ListStoreOperationsAsync(Store, Stop)))
                return;

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Stop);
        }

        throw new TimeoutException("The store's operations did not come to where they were waited for.");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
