using System.Buffers.Binary;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>What the structure of a disk has to say when its image comes in, over a real database and a real directory.</summary>
public sealed class DiskImportTests : IDisposable
{
    private readonly LibraryHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Tables_that_share_a_place_are_refused_and_nothing_is_kept()
    {
        // Both tables of the disk at one place: no header says so, only the tables do.
        var disk = await Qcow2Async(256 * 1024);
        var l1 = (int)BinaryPrimitives.ReadUInt64BigEndian(disk.AsSpan(40));
        var l2 = (int)(BinaryPrimitives.ReadUInt64BigEndian(disk.AsSpan(l1)) & 0x00ff_ffff_ffff_fe00);
        disk.AsSpan(l2, 8).CopyTo(disk.AsSpan(l2 + 8));
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(_home.Publish(disk));
        await node.RunAsync(transfer);

        var failed = await node.TransferAsync(transfer);
        Assert.Equal((TransferState.Failed, "unsafe-feature"), (failed.State, failed.Failure?.Code));
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task A_disk_for_the_other_firmware_is_noted_and_taken()
    {
        var disk = new byte[1024 * 1024];
        disk[446 + 4] = 0xef; // a partition that UEFI starts from
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(446 + 8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(446 + 12), 100);
        (disk[510], disk[511]) = (0x55, 0xaa);
        await using var node = await _home.StartAsync();
        var (image, transfer) = await node.ImportAsync(_home.Publish(disk));
        await node.RunAsync(transfer);

        await node.AssertActiveAsync(image, disk);
        Assert.Contains((await node.TransferAsync(transfer)).Notes, n => n.Contains("made for UEFI", StringComparison.Ordinal));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A disk of random bytes as our own writer lays it out.</summary>
    private static async Task<byte[]> Qcow2Async(int length)
    {
        var path = Path.GetTempFileName();
        try
        {
            var bytes = new byte[length];
            new Random(3).NextBytes(bytes);
            await File.WriteAllBytesAsync(path, bytes, Stop);
            var formats = new DiskFormats();
            var disk = await formats.OpenAsync(new FileContent(path), DiskFormat.Raw, Stop);
            await using var conversion = await formats.ConvertAsync(disk, new ConversionTarget(DiskFormat.Qcow2), Stop);
            using var made = new MemoryStream();
            await conversion.CopyToAsync(made, Stop);
            return made.ToArray();
        }
        finally
        {
            File.Delete(path);
        }
    }
}
