using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Formats.Qcow2;
using Vitrine.Images;

namespace Vitrine.FormatTests.Fuzzing;

/// <summary>Does to a content what can be done to a disk, as cheaply as can be, whatever the check says of it.</summary>
/// <remarks>What passes the check can be listed and read, but for what is compressed, into which no check looks.</remarks>
internal sealed class FuzzedDisk(DiskFormat format, ContainerFormat container = ContainerFormat.Bare)
{
    private const int MostExtents = 256;

    private readonly DiskFormats _formats = new();

    // Longer than the clusters and grains of the seeds, so that reads go across them.
    private readonly byte[] _buffer = new byte[20_000];

    public async Task TryAsync(ReadOnlyMemory<byte> content, ulong number)
    {
        Disk disk;
        try
        {
            disk = await _formats.OpenAsync(new MemoryContent(content), format, container, CancellationToken.None);
        }
        catch (UnsafeContentException)
        {
            return;
        }

        await using (disk)
        {
            var isSound = await PassesAsync(disk.CheckAsync(CancellationToken.None));
            await UseAsync(disk, isSound, number);
            if (disk is Qcow2Disk qcow2)
                await PassesAsync(UseSnapshotsAsync(qcow2, number));
        }
    }

    private async Task UseSnapshotsAsync(Qcow2Disk disk, ulong number)
    {
        await foreach (var snapshot in disk.ListSnapshotsAsync(CancellationToken.None))
            await UseAsync(disk.OpenSnapshot(snapshot), isSound: false, number);
    }

    private async Task UseAsync(Disk disk, bool isSound, ulong number)
    {
        var isListed = await PassesAsync(ListAsync(disk));
        Assert.True(isListed || !isSound, "What passed the check could not be listed.");

        var length = (int)Math.Min(_buffer.Length, disk.Length);
        var somewhere = (long)(number * 0x9e37_79b9_7f4a_7c15 % (ulong)(disk.Length - length + 1));
        await ReadAsync(disk, 0, length, isSound);
        if (length == disk.Length)
            return;

        await ReadAsync(disk, somewhere, length, isSound);
        await ReadAsync(disk, disk.Length - length, length, isSound);
    }

    private static async Task ListAsync(Disk disk)
    {
        var (position, count) = (0L, 0);
        await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, CancellationToken.None))
        {
            Assert.Equal(position, extent.Start);
            Assert.True(extent.Length > 0);
            position = extent.End;
            if (++count == MostExtents)
                return;
        }

        Assert.Equal(disk.Length, position);
    }

    private async Task ReadAsync(Disk disk, long offset, int length, bool isSound)
    {
        try
        {
            await disk.ReadAsync(offset, _buffer.AsMemory(0, length), CancellationToken.None);
        }
        catch (UnsafeContentException refusal)
        {
            Assert.True(!isSound || refusal.Feature.EndsWith("-damaged", StringComparison.Ordinal), refusal.Message);
        }
    }

    private static async Task<bool> PassesAsync(Task work)
    {
        try
        {
            await work;
            return true;
        }
        catch (UnsafeContentException)
        {
            return false;
        }
    }
}
