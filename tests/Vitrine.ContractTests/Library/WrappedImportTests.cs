using System.IO.Compression;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Stores.Memory;
using Vitrine.Testing;
using Vitrine.Testing.Library;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>Images that are published in compressed files, over a real database and a real directory.</summary>
public sealed class WrappedImportTests : IDisposable
{
    private const int Size = 20 * Block + 1234;

    private readonly LibraryHome _home = new();

    public void Dispose() => _home.Dispose();

    [FactWithTool("xz")]
    public async Task An_import_of_a_packed_image_is_the_image_and_both_sums_are_known()
    {
        var disk = SampleImages.Qcow2();
        var packed = await XzAsync(disk);
        await using var node = await _home.StartAsync();
        var steps = node.WatchSteps();
        var (image, transfer) = await node.ImportAsync(_home.Publish(packed), Checksum.Parse(Digest.Of(packed).ToString()));
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, disk);
        var found = await node.ImageAsync(image);
        Assert.Equal(new SourceFile(Digest.Of(packed), packed.Length, Wrapper.Xz), found.Content?.Source);
        Assert.Equal((DiskFormat.Qcow2, SampleImages.VirtualSize), (found.DiskFormat, found.Content?.VirtualSize));
        Assert.Equal(
            ["queued waiting", "running connecting", "running receiving", "verifying checking", "verifying unpacking", "verifying storing", "done "], steps);

        var done = await node.TransferAsync(transfer);
        Assert.Equal((packed.Length, packed.Length, disk.Length), (done.Length, done.Moved, done.Unpacked));
        await node.AssertHoldsAsync(disk);
    }

    [Fact]
    public async Task A_cut_in_the_middle_of_a_packed_file_costs_nothing()
    {
        var (content, packed) = Pack();
        _home.Source.Cuts.Enqueue(packed.Length / 3);
        _home.Source.Cuts.Enqueue(packed.Length / 3);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(_home.Publish(packed), Checksum.Parse(Digest.Of(packed).ToString()));
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, content);
        Assert.Equal([0, packed.Length / 3, packed.Length / 3 * 2], _home.Source.AskedFrom);
        Assert.Equal(packed.Length, _home.Source.Given);
    }

    [Fact]
    public async Task A_wrong_sum_is_found_before_anything_is_unpacked_and_nothing_is_kept()
    {
        var (content, packed) = Pack();
        await using var node = await _home.StartAsync();
        var steps = node.WatchSteps();

        // The sum of what is inside is not the sum of what was published.
        var (image, transfer) = await node.ImportAsync(_home.Publish(packed), Checksum.Parse(Digest.Of(content).ToString()));
        await node.RunAsync(transfer);
        Assert.Equal(("checksum-mismatch", ImageStatus.Failed), ((await node.TransferAsync(transfer)).Failure?.Code, (await node.ImageAsync(image)).Status));
        Assert.DoesNotContain("verifying unpacking", steps);
        await node.AssertHoldsAsync();
    }

    [Theory]
    [InlineData(ContainerFormat.Compressed, null)]
    [InlineData(ContainerFormat.Ari, DiskFormat.Ari)]
    [InlineData(null, DiskFormat.Ari)]
    [InlineData(ContainerFormat.Aki, DiskFormat.Aki)]
    public async Task What_is_to_stay_packed_stays_as_it_came(ContainerFormat? container, DiskFormat? format)
    {
        var (_, packed) = Pack();
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(
            _home.Publish(packed), describe: i => i with { ContainerFormat = container, DiskFormat = format });
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, packed);
        var content = (await node.ImageAsync(image)).Content!;
        Assert.Equal((null, null), (content.Source, content.VirtualSize));
        await node.AssertHoldsAsync(packed);
    }

    [Theory]
    [InlineData("nested", "unsafe-feature")]
    [InlineData("hostile", "unsafe-feature")]
    [InlineData("damaged", "unsafe-feature")]
    [InlineData("cut off", "unsafe-feature")]
    [InlineData("page", "not-an-image")]
    [InlineData("empty", "empty-content")]
    [InlineData("format", "format-mismatch")]
    [InlineData("too large", "limit-exceeded")]
    public async Task What_is_refused_inside_leaves_nothing_behind(string what, string code)
    {
        var (content, packed) = Pack();
        var file = what switch
        {
            "nested" => Gzip(packed),
            "hostile" => Gzip(SampleImages.Qcow2WithBackingFile("/etc/passwd")),
            "damaged" => [.. packed[..^100], .. new byte[100]],
            "cut off" => packed[..^1],
            "page" => Gzip([.. "<!doctype html><html><body>Log in</body></html>"u8]),
            "empty" => Gzip([]),
            "format" => packed,
            _ => Gzip(new byte[100 * Block]), // of 26 MB, 25 kB are left
        };
        await using var node = await _home.StartAsync(options: new LibraryOptions { MaxImageSize = 2 * content.Length });
        var most = 0L;
        node.Catalogue.After = change =>
        {
            most = Math.Max(most, change.Moving()?.Unpacked ?? 0);
            return Task.CompletedTask;
        };
        var (image, transfer) = await node.ImportAsync(
            _home.Publish(file), describe: i => i with { DiskFormat = what is "format" ? DiskFormat.Qcow2 : null });
        await node.RunAsync(transfer);

        Assert.Equal((code, ImageStatus.Failed), ((await node.TransferAsync(transfer)).Failure?.Code, (await node.ImageAsync(image)).Status));
        Assert.InRange(most, 0, 2 * content.Length + Block);
        await node.AssertHoldsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cancel_or_a_deletion_while_it_unpacks_ends_it_and_leaves_nothing(bool isCancel)
    {
        var (_, packed) = Pack();
        await using var node = await _home.StartAsync(store: AgingStore);
        var (image, transfer) = await node.ImportAsync(_home.Publish(packed));
        node.Catalogue.After = change => !IsUnpacking(change.Moving()) ? Task.CompletedTask
            : isCancel ? node.Desk.CancelAsync(transfer, Caller, Stop)
            : node.Library.DeleteAsync(image, Caller, Stop);
        await node.RunAsync(transfer);

        var over = await node.TransferAsync(transfer);
        Assert.Equal(TransferState.Cancelled, over.State);
        Assert.InRange(over.Unpacked, 1, Size - 1);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task A_node_that_stops_while_it_unpacks_leaves_the_file_to_the_next()
    {
        var (content, packed) = Pack();
        using var stop = new CancellationTokenSource();
        await using var node = await _home.StartAsync(store: AgingStore);
        var (image, transfer) = await node.ImportAsync(_home.Publish(packed));
        node.Catalogue.After = change => IsUnpacking(change.Moving()) ? stop.CancelAsync() : Task.CompletedTask;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.Runner.RunAsync(transfer, stop.Token));
        Assert.Equal(TransferState.Queued, (await node.TransferAsync(transfer)).State);
        Assert.Equal(StagingKey.Of(transfer), Assert.Single(await node.Store.ListStagedAsync(Stop).ToListAsync(Stop)).Key);

        node.Catalogue.After = _ => Task.CompletedTask;
        await node.AdoptAsync();
        await node.AssertActiveAsync(image, content);
        Assert.Equal(packed.Length, _home.Source.Given);
        await node.AssertHoldsAsync(content);
    }

    [Fact]
    public async Task A_store_that_is_away_while_it_unpacks_delays_the_import_and_no_more()
    {
        var (content, packed) = Pack();
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(AgingStore(real)));
        var (image, transfer) = await node.ImportAsync(_home.Publish(packed));
        node.Catalogue.After = change =>
        {
            if (change.Moving() is { Step: TransferSteps.Unpacking, Fruitless: 0 })
                faulty!.On(StoreCall.Write).Throw(() => new StoreUnavailableException(Main, "the test wants it.")).Times(1);
            return Task.CompletedTask;
        };
        await node.RunAsync(transfer);
        faulty!.Heal();
        await node.AssertActiveAsync(image, content);
        Assert.Equal(packed.Length, _home.Source.Given);
        await node.AssertHoldsAsync(content);
    }

    [Fact]
    public async Task An_upload_in_parts_is_unpacked_with_its_last_byte()
    {
        var (content, packed) = Pack();
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        var upload = (await node.BeginAsync(image, packed.Length, Checksum.Parse(Digest.Of(packed).ToString()))).Id;
        await node.AppendAsync(upload, 0, packed.AsMemory(0, Block));
        var over = await node.AppendAsync(upload, Block, packed.AsMemory(Block));

        Assert.Equal((TransferState.Done, packed.Length), (over.State, over.Moved));
        Assert.Equal(packed.Length, (await node.Uploads.FindOffsetAsync(upload, Caller, Stop)).Moved);
        await node.AssertActiveAsync(image, content);
        await node.AssertHoldsAsync(content);
    }

    [Fact]
    public async Task An_upload_in_one_request_is_unpacked_too()
    {
        var (content, packed) = Pack();
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, packed);
        await node.AssertActiveAsync(image, content);
        await node.AssertHoldsAsync(content);
    }

    [Fact]
    public async Task The_same_image_packed_and_unpacked_is_stored_once()
    {
        var (content, packed) = Pack();
        await using var node = await _home.StartAsync();
        foreach (var file in new[] { packed, content, Gzip(content, CompressionLevel.SmallestSize) })
        {
            var image = await node.NewImageAsync();
            await node.ReceiveAsync(image, file);
            await node.AssertActiveAsync(image, content);
        }

        await node.AssertHoldsAsync(content);
    }

    [Fact]
    public async Task What_others_need_of_a_store_is_not_unpacked_into()
    {
        var store = new MemoryStore(Main, _home.Clock, capacity: 100_000);
        var registry = new StoreRegistry([(new LibraryStore(Main, "default", "memory", "", IsDefault: true), store)]);
        await using var writer = await store.OpenWriterAsync(StagingKey.Of(TransferId.New()), Stop);
        await writer.WriteAsync(new byte[95_000], Stop);
        await registry.CheckReserveAsync(Main, Stop);
        await writer.WriteAsync(new byte[1], Stop);
        Assert.Equal(4_999, (await Assert.ThrowsAsync<StoreFullException>(() => registry.CheckReserveAsync(Main, Stop))).Free);
    }

    internal static byte[] Gzip(byte[] content, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, level, leaveOpen: true))
            gzip.Write(content);
        return packed.ToArray();
    }

    private static (byte[] Content, byte[] Packed) Pack()
    {
        var content = new byte[Size];
        new Random(11).NextBytes(content);
        return (content, Gzip(content));
    }

    private static async Task<byte[]> XzAsync(byte[] content)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, content, Stop);
            await Tool.RunAsync("xz", ["-z", "--force", path], Stop);
            return await File.ReadAllBytesAsync($"{path}.xz", Stop);
        }
        finally
        {
            File.Delete(path);
            File.Delete($"{path}.xz");
        }
    }

    /// <summary>Makes each write take its time, so that there is more than one look at the clock.</summary>
    private InterceptedStore AgingStore(IContentStore real) => new(real, (call, _) =>
    {
        if (call is StoreCall.Write)
            _home.Clock.Advance(TimeSpan.FromMilliseconds(300));
        return Task.CompletedTask;
    });

    private static bool IsUnpacking(Transfer? transfer) => transfer is { Step: TransferSteps.Unpacking, Unpacked: > 0 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
