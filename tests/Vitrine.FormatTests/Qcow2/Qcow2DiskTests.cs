using System.Buffers.Binary;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Formats.Qcow2;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Qcow2;

public sealed class Qcow2DiskTests
{
    public static TheoryData<int, int, bool, bool> Kinds => new()
    {
        // version, cluster bits, zstd, subclusters
        { 2,  9, false, false },
        { 2, 12, false, false },
        { 3,  9, false, false },
        { 3, 12, false, false },
        { 3, 12, true,  false },
        { 3, 14, false, true },
        { 3, 14, true,  true },
        { 3, 16, true,  true },
    };

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_disk_and_its_snapshot_have_each_kind_of_cluster(int version, int clusterBits, bool isZstd, bool hasSubclusters)
    {
        var image = new SmallQcow2(version, clusterBits, isZstd, hasSubclusters);
        await using var disk = await OpenAsync(image.Bytes);
        await DiskContract.HoldAsync(disk, image.Guest, Stop);

        var snapshot = Assert.Single(await disk.ListSnapshotsAsync(Stop).ToListAsync(Stop));
        Assert.Equal(("1", "old"), (snapshot.Id, snapshot.Name));
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500), snapshot.Date);
        Assert.Equal(TimeSpan.FromSeconds(3), snapshot.VmClock);
        Assert.Equal((0, image.Guest.Length), (snapshot.VmStateLength, snapshot.DiskLength));
        await using var old = disk.OpenSnapshot(snapshot);
        await DiskContract.HoldAsync(old, image.Guest, Stop);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_store_that_gives_few_bytes_at_a_time_makes_no_difference(int version, int clusterBits, bool isZstd, bool hasSubclusters)
    {
        var image = new SmallQcow2(version, clusterBits, isZstd, hasSubclusters);
        await using var disk = await Qcow2Disk.OpenAsync(new MemoryContent(image.Bytes, most: 1000), Stop);
        await DiskContract.HoldAsync(disk, image.Guest, Stop);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(4097)]
    [InlineData(4096 * 6 + 1)]
    public async Task A_disk_may_end_at_any_byte(int length)
    {
        var image = new SmallQcow2(hasSnapshot: false).Word(0, 24, (ulong)length);
        await using var disk = await OpenAsync(image.Bytes);
        await DiskContract.HoldAsync(disk, image.Guest.AsMemory(0, length), Stop);
    }

    [Fact]
    public async Task The_content_may_end_with_the_last_byte_that_the_disk_needs()
    {
        var image = new SmallQcow2(hasSnapshot: false);
        var length = image.Guest.Length - 1000;
        image.Word(0, 24, (ulong)length);
        await using var disk = await OpenAsync(image.Bytes.AsMemory(0, image.Bytes.Length - 1000));
        await DiskContract.HoldAsync(disk, image.Guest.AsMemory(0, length), Stop);
    }

    [Fact]
    public async Task A_disk_of_no_length_has_no_extents()
    {
        await using var disk = await OpenAsync(new SmallQcow2(hasSnapshot: false).Word(0, 24, 0).Bytes);
        await disk.CheckAsync(Stop);
        await disk.ReadAsync(0, Memory<byte>.Empty, Stop);

        Assert.Empty(await disk.ListExtentsAsync(0, 0, Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task Kinds_of_clusters_are_told_apart_down_to_subclusters()
    {
        var image = new SmallQcow2(clusterBits: 14, hasSubclusters: true);
        await using var disk = await OpenAsync(image.Bytes);
        var part = image.ClusterSize / 32;
        var extents = await disk.ListExtentsAsync(0, image.ClusterSize, Stop).ToListAsync(Stop);

        Assert.Equal(32, extents.Count);
        Assert.Equal([new(0, part, ExtentKind.Data), new(part, part, ExtentKind.Zero), new(2 * part, part, ExtentKind.Data), new(3 * part, part, ExtentKind.Absent)], extents[..4]);
    }

    [Fact]
    public async Task Refcounts_that_are_behind_after_a_crash_are_no_harm()
    {
        var image = new SmallQcow2(hasSnapshot: false).Word(0, 72, 1);
        for (var cluster = 0; cluster < SmallQcow2.Clusters; cluster++)
            image.Refcount(cluster, 0);

        await using var disk = await OpenAsync(image.Bytes);
        Assert.True(disk.Header.IsDirty);
        await DiskContract.HoldAsync(disk, image.Guest, Stop);
    }

    [Fact]
    public async Task Small_reads_inside_a_compressed_cluster_unfold_it_once()
    {
        var image = new SmallQcow2(clusterBits: 16);
        var content = new MemoryContent(image.Bytes);
        await using var disk = await Qcow2Disk.OpenAsync(content, Stop);
        var bytes = new byte[4096];
        await disk.ReadAsync(3 * image.ClusterSize, bytes, Stop);
        var before = content.Reads;
        for (var at = 4096; at < image.ClusterSize; at += 4096)
            await disk.ReadAsync(3 * image.ClusterSize + at, bytes, Stop);

        Assert.Equal(before, content.Reads);
    }

    [Fact]
    public async Task Clusters_that_lie_together_are_one_read()
    {
        // A table of 512 clusters, one behind the other.
        var bytes = new byte[600 * 4096];
        new SmallQcow2(hasSnapshot: false).Bytes.CopyTo(bytes, 0);
        bytes.AsSpan(SmallQcow2.L2 * 4096, 4096).Clear();
        for (var i = 0; i < 512; i++)
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(SmallQcow2.L2 * 4096 + i * 8), (ulong)(i + 20) * 4096);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(24), 512 * 4096);

        var content = new MemoryContent(bytes);
        await using var disk = await Qcow2Disk.OpenAsync(content, Stop);
        var guest = new byte[512 * 4096];
        await disk.ReadAsync(0, guest, Stop);
        var before = content.Reads;
        await disk.ReadAsync(0, guest, Stop);

        Assert.Equal(before + 1, content.Reads);
        Assert.Equal([new Extent(0, guest.Length, ExtentKind.Data)], await disk.ListExtentsAsync(0, guest.Length, Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task Plain_reads_allocate_nothing()
    {
        var image = new SmallQcow2(clusterBits: 16);
        await using var disk = await OpenAsync(image.Bytes);
        var bytes = new byte[4096];
        await disk.ReadAsync(0, bytes, Stop);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            await disk.ReadAsync(i % 16 * 4096, bytes, Stop);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }

    [Fact]
    public async Task Many_readers_see_the_same()
    {
        var image = new SmallQcow2(clusterBits: 16, isZstd: true);
        await using var disk = await OpenAsync(image.Bytes);
        await Parallel.ForAsync(0, 200, Stop, async (i, stop) =>
        {
            var bytes = new byte[10_000];
            var at = i * 2_000 % (image.Guest.Length - bytes.Length);
            await disk.ReadAsync(at, bytes, stop);
            Assert.True(image.Guest.AsSpan(at, bytes.Length).SequenceEqual(bytes));
        });
    }

    [Fact]
    public async Task The_formats_open_it_by_its_name()
    {
        var image = new SmallQcow2();
        await using var disk = await new DiskFormats().OpenAsync(new MemoryContent(image.Bytes), DiskFormat.Qcow2, Stop);
        Assert.Equal(image.Guest.Length, disk.Length);
    }

    [TheoryWithTool("qemu-img"), MemberData(nameof(Kinds))]
    public async Task Qemu_finds_no_fault_with_the_sample(int version, int clusterBits, bool isZstd, bool hasSubclusters)
    {
        // The samples are ours; this shows that the tests are not about a format of our own making.
        var image = new SmallQcow2(version, clusterBits, isZstd, hasSubclusters);
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, image.Bytes, Stop);
            await Tool.RunAsync("qemu-img", ["check", "-q", "-f", "qcow2", path], Stop);
            await Tool.RunAsync("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, path + ".raw"], Stop);
            Assert.Equal(image.Guest, await File.ReadAllBytesAsync(path + ".raw", Stop));
        }
        finally
        {
            File.Delete(path);
            File.Delete(path + ".raw");
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<Qcow2Disk> OpenAsync(ReadOnlyMemory<byte> bytes) => Qcow2Disk.OpenAsync(new MemoryContent(bytes), Stop);
}
