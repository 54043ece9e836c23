using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing;
using Vitrine.Testing.Library;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>Disks that a store keeps in another format than they come in, over a real database and a real directory.</summary>
public sealed class ConvertedImportTests : IDisposable
{
    private const int Size = 12 * Block;

    private readonly LibraryHome _home = new();

    public void Dispose() => _home.Dispose();

    [FactWithTool("qemu-img")]
    public async Task An_import_is_kept_in_the_format_of_the_store_and_both_sums_are_known()
    {
        _home.Conversion = Policy(DiskFormat.Vmdk, DiskFormat.Qcow2);
        var (disk, vmdk) = await DiskAsync("vmdk", Size);
        await using var node = await _home.StartAsync();
        var steps = node.WatchSteps();
        var (image, transfer) = await node.ImportAsync(
            _home.Publish(vmdk), Checksum.Parse(Digest.Of(vmdk).ToString()), describe: i => i with { DiskFormat = DiskFormat.Vmdk });
        await node.RunAsync(transfer);

        var found = await node.ImageAsync(image);
        Assert.Equal((DiskFormat.Qcow2, ContainerFormat.Bare, ImageStatus.Active), (found.DiskFormat, found.ContainerFormat, found.Status));
        Assert.Equal((DiskFormat.Qcow2, (long)Size), (found.Content!.Format, found.Content.VirtualSize));
        Assert.Equal(new SourceFile(Digest.Of(vmdk), vmdk.Length, Wrapper: null, DiskFormat.Vmdk), found.Content.Source);
        Assert.Equal(
            ["queued waiting", "running connecting", "running receiving", "verifying checking", "verifying converting", "verifying storing", "done "], steps);

        var kept = await node.DownloadAsync(image);
        var done = await node.TransferAsync(transfer);
        Assert.Equal((vmdk.Length, vmdk.Length, kept.Length), (done.Length, done.Moved, done.Converted));
        await node.AssertActiveAsync(image, kept);
        await node.AssertHoldsAsync(kept);
        Assert.Equal(disk, await ConvertAsync(kept, "qcow2", "raw"));
    }

    [FactWithTool("qemu-img")]
    public async Task A_disk_in_a_wrapper_is_unpacked_and_converted()
    {
        _home.Conversion = Policy(DiskFormat.Qcow2, DiskFormat.Raw);
        var (disk, qcow2) = await DiskAsync("qcow2", Size);
        var packed = WrappedImportTests.Gzip(qcow2);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(_home.Publish(packed), Checksum.Parse(Digest.Of(packed).ToString()));
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, disk);
        Assert.Equal(
            new SourceFile(Digest.Of(packed), packed.Length, Wrapper.Gzip, DiskFormat.Qcow2), (await node.ImageAsync(image)).Content?.Source);
        var done = await node.TransferAsync(transfer);
        Assert.Equal((qcow2.Length, disk.Length), (done.Unpacked, done.Converted));
        await node.AssertHoldsAsync(disk);
    }

    [FactWithTool("qemu-img")]
    public async Task The_same_disk_in_any_format_is_stored_once()
    {
        _home.Conversion = new ConversionPolicy(ConversionPolicy.Sources.ToDictionary(f => f, _ => DiskFormat.Raw));
        await using var node = await _home.StartAsync();
        var disk = new byte[Size];
        foreach (var format in new[] { "qcow2", "vmdk", "vhdx", "vdi" })
        {
            (disk, var file) = await DiskAsync(format, Size);
            var image = await node.NewImageAsync();
            await node.ReceiveAsync(image, file);
            await node.AssertActiveAsync(image, disk);
        }

        await node.AssertHoldsAsync(disk);
    }

    [FactWithTool("qemu-img")]
    public async Task What_the_policy_does_not_name_stays_as_it_came()
    {
        _home.Conversion = Policy(DiskFormat.Vmdk, DiskFormat.Qcow2);
        var (_, qcow2) = await DiskAsync("qcow2", Size);
        var (_, vmdk) = await DiskAsync("vmdk", Size);
        await using var node = await _home.StartAsync();
        var asItCame = await node.NewImageAsync();
        await node.ReceiveAsync(asItCame, qcow2);
        await node.AssertActiveAsync(asItCame, qcow2);

        var (wanted, transfer) = await node.ImportAsync(
            _home.Publish(vmdk), describe: i => i with { ContainerFormat = ContainerFormat.Compressed, DiskFormat = DiskFormat.Vmdk });
        await node.RunAsync(transfer);
        await node.AssertActiveAsync(wanted, vmdk);
        Assert.Null((await node.ImageAsync(wanted)).Content?.Source);
    }

    [FactWithTool("qemu-img")]
    public async Task A_guest_that_wrote_an_image_to_its_disk_cannot_have_that_read_as_one()
    {
        _home.Conversion = Policy(DiskFormat.Vmdk, DiskFormat.Raw);
        var disk = new byte[Size];
        SampleImages.Qcow2WithBackingFile("/etc/passwd").CopyTo(disk, 0);
        var vmdk = await ConvertAsync(disk, "raw", "vmdk");
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(_home.Publish(vmdk));
        await node.RunAsync(transfer);

        Assert.Equal(("unsafe-feature", ImageStatus.Failed), ((await node.TransferAsync(transfer)).Failure?.Code, (await node.ImageAsync(image)).Status));
        await node.AssertHoldsAsync();
    }

    [FactWithTool("qemu-img")]
    public async Task A_cancel_while_it_is_converted_leaves_nothing()
    {
        _home.Conversion = Policy(DiskFormat.Vmdk, DiskFormat.Qcow2);
        var (_, vmdk) = await DiskAsync("vmdk", Size);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(_home.Publish(vmdk));
        node.Catalogue.After = change =>
            change.Moving() is { Step: TransferSteps.Converting, IsOver: false } ? node.Desk.CancelAsync(transfer, Caller, Stop) : Task.CompletedTask;
        await node.RunAsync(transfer);

        Assert.Equal((TransferState.Cancelled, ImageStatus.Failed), ((await node.TransferAsync(transfer)).State, (await node.ImageAsync(image)).Status));
        await node.AssertHoldsAsync();
    }

    [FactWithTool("qemu-img")]
    public async Task A_disk_larger_than_what_is_accepted_is_not_made_of_a_small_file()
    {
        _home.Conversion = Policy(DiskFormat.Qcow2, DiskFormat.Raw);
        var qcow2 = await ConvertAsync(new byte[Size], "raw", "qcow2");
        await using var node = await _home.StartAsync(options: new LibraryOptions { MaxImageSize = Size - 1 });
        var (_, transfer) = await node.ImportAsync(_home.Publish(qcow2));
        await node.RunAsync(transfer);
        Assert.Equal("limit-exceeded", (await node.TransferAsync(transfer)).Failure?.Code);
        await node.AssertHoldsAsync();
    }

    internal static ConversionPolicy Policy(DiskFormat from, DiskFormat to) => new(new Dictionary<DiskFormat, DiskFormat> { [from] = to });

    /// <summary>A disk with data and holes, and a file of it as qemu-img makes it.</summary>
    internal static async Task<(byte[] Disk, byte[] File)> DiskAsync(string format, int size, int seed = 5)
    {
        var disk = new byte[size];
        var random = new Random(seed);
        random.NextBytes(disk.AsSpan(0, size / 3));
        random.NextBytes(disk.AsSpan(size / 2, size / 5));
        return (disk, await ConvertAsync(disk, "raw", format));
    }

    private static async Task<byte[]> ConvertAsync(byte[] content, string from, string to)
    {
        var directory = Directory.CreateTempSubdirectory("vitrine-convert-");
        try
        {
            var (before, after) = (Path.Combine(directory.FullName, "before"), Path.Combine(directory.FullName, "after"));
            await File.WriteAllBytesAsync(before, content, Stop);
            await Tool.RunAsync("qemu-img", ["convert", "-f", from, "-O", to, before, after], Stop);
            return await File.ReadAllBytesAsync(after, Stop);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
