using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Formats.Qcow2;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Qcow2;

/// <summary>Images that were made to harm, or came to harm, one for each fault.</summary>
public sealed class Qcow2HostileTests
{
    private const int Cluster = 4096;
    private const ulong Far = 1UL << 40;

    public static TheoryData<HostileImage> Structures => [.. Faults];

    private static IReadOnlyList<HostileImage> Faults =>
    [
        new("L1 table beyond the end",                  "truncated",          Image().Word(0, 40, Far).Bytes),
        new("L1 table at a negative offset",            "truncated",          Image().Word(0, 40, 1UL << 63).Bytes),
        new("L1 table in the header",                   "qcow2-bad-geometry", Image().Word(0, 40, 0).Bytes),
        new("L1 table not at a cluster",                "qcow2-bad-geometry", Image().Word(0, 40, At(SmallQcow2.L1) + 512).Bytes),
        new("L1 table on the refcount table",           "qcow2-overlap",      Image().Word(0, 40, At(SmallQcow2.RefcountTable)).Bytes),
        new("L1 table on a refcount block",             "qcow2-overlap",      Image().Word(0, 40, At(SmallQcow2.RefcountBlock)).Bytes),
        new("L1 table on the snapshot's",               "qcow2-overlap",      Image().Word(0, 40, At(SmallQcow2.SnapshotL1)).Bytes),
        new("L1 table too large",                       "qcow2-bad-geometry", Image().Word32(0, 36, 4_194_305).Bytes),
        new("L1 table of the largest size",             "truncated",          Image().Word32(0, 36, 4_194_304).Bytes),
        new("L1 table too small",                       "qcow2-bad-geometry", Image().Word(0, 24, 1UL << 22).Bytes),
        new("L1 table missing",                         "qcow2-bad-geometry", Image().Word32(0, 36, 0).Bytes),
        new("refcount table beyond the end",            "truncated",          Image().Word(0, 48, Far).Bytes),
        new("refcount table too large",                 "qcow2-bad-geometry", Image().Word32(0, 56, uint.MaxValue).Bytes),
        new("refcount table on data",                   "qcow2-bad-geometry", Image().Word(0, 48, At(SmallQcow2.FirstData)).Bytes),
        new("refcount block beyond the end",            "truncated",          Image().Word(SmallQcow2.RefcountTable, 8, Far).Bytes),
        new("refcount block in the header's cluster",   "qcow2-bad-geometry", Image().Word(SmallQcow2.RefcountTable, 8, 512).Bytes),
        new("refcount block twice",                     "qcow2-overlap",      Image().Word(SmallQcow2.RefcountTable, 8, At(SmallQcow2.RefcountBlock)).Bytes),
        new("refcount block with a reserved bit",       "qcow2-bad-geometry", Image().Word(SmallQcow2.RefcountTable, 0, At(SmallQcow2.RefcountBlock) | 1).Bytes),
        new("refcount block on its table",              "qcow2-overlap",      Image().Word(SmallQcow2.RefcountTable, 8, At(SmallQcow2.RefcountTable)).Bytes),

        new("L2 table beyond the end",                  "truncated",          Image().Word(SmallQcow2.L1, 0, Far).Bytes),
        new("L2 table half beyond the end",             "truncated",          [.. Image().Word(SmallQcow2.L1, 0, At(SmallQcow2.Clusters)).Bytes, .. new byte[2048]]),
        new("L2 table in the header",                   "qcow2-bad-geometry", Image().Word(SmallQcow2.L1, 0, 512).Bytes),
        new("L2 table that is the L1 table",            "qcow2-overlap",      Image().Word(SmallQcow2.L1, 0, At(SmallQcow2.L1)).Bytes),
        new("L2 table that is the refcount table",      "qcow2-overlap",      Image().Word(SmallQcow2.L1, 0, At(SmallQcow2.RefcountTable)).Bytes),
        new("L2 table twice",                           "qcow2-overlap",      Image().Word32(0, 36, 2).Word(SmallQcow2.L1, 8, At(SmallQcow2.L2)).Bytes),
        new("L2 table with a reserved bit",             "qcow2-bad-geometry", Image().Word(SmallQcow2.L1, 0, At(SmallQcow2.L2) | 1).Bytes),
        new("L2 table with a reserved high bit",        "qcow2-bad-geometry", Image().Word(SmallQcow2.L1, 0, At(SmallQcow2.L2) | 1UL << 62).Bytes),
        new("L2 table copied from nowhere",             "qcow2-bad-geometry", Image().Word(SmallQcow2.L1, 0, SmallQcow2.Copied).Bytes),
        new("L2 table shared without its refcount",     "qcow2-overlap",      Image().Refcount(SmallQcow2.L2, 1).Bytes),

        new("data beyond the end",                      "truncated",          Image().L2Entry(0, Far).Bytes),
        new("data beyond the end of the disk's table",  "truncated",          Image().L2Entry(500, Far).Bytes),
        new("data in the header's cluster",             "qcow2-bad-geometry", Image().L2Entry(0, 512).Bytes),
        new("data not at a cluster",                    "qcow2-bad-geometry", Image().L2Entry(0, At(SmallQcow2.FirstData) + 512).Bytes),
        new("data that is its own table",               "qcow2-overlap",      Image().L2Entry(0, At(SmallQcow2.L2)).Bytes),
        new("data that is the L1 table",                "qcow2-overlap",      Image().L2Entry(0, At(SmallQcow2.L1)).Bytes),
        new("data that is the refcounts",               "qcow2-overlap",      Image().L2Entry(0, At(SmallQcow2.RefcountBlock)).Bytes),
        new("data that is the snapshot table",          "qcow2-overlap",      Image().L2Entry(0, At(SmallQcow2.SnapshotTable)).Bytes),
        new("data at two places",                       "qcow2-overlap",      Image().L2Entry(5, At(SmallQcow2.FirstData)).Bytes),
        new("data at two places with a high refcount",  "qcow2-overlap",      Image().L2Entry(5, At(SmallQcow2.FirstData)).Refcount(SmallQcow2.FirstData, 4).Bytes),
        new("data at two places, dirty",                "qcow2-overlap",      Image().L2Entry(5, At(SmallQcow2.FirstData)).Word(0, 72, 1).Bytes),
        new("data shared without its refcount",         "qcow2-overlap",      Image().Refcount(SmallQcow2.LastData, 1).Bytes),
        new("data with a reserved bit",                 "qcow2-bad-geometry", Image().L2Entry(0, At(SmallQcow2.FirstData) | 2).Bytes),
        new("data with a reserved high bit",            "qcow2-bad-geometry", Image().L2Entry(0, At(SmallQcow2.FirstData) | 1UL << 56).Bytes),
        new("data copied from nowhere",                 "qcow2-bad-geometry", Image().L2Entry(0, SmallQcow2.Copied).Bytes),
        new("zeros kept beyond the end",                "truncated",          Image().L2Entry(2, Far | 1).Bytes),
        new("zeros kept in data",                       "qcow2-overlap",      Image().L2Entry(2, At(SmallQcow2.LastData) | 1).Bytes),
        new("zeros in version 2",                       "qcow2-bad-geometry", Image(version: 2).L2Entry(1, 1).Bytes),

        new("compressed beyond the end",                "truncated",          Compressed(Far, 0)),
        new("compressed longer than the content",       "truncated",          Compressed(At(SmallQcow2.LastData) + 4000, 1)),
        new("compressed in data",                       "qcow2-overlap",      Compressed(At(SmallQcow2.FirstData), 0)),
        new("compressed on into data",                  "qcow2-overlap",      Compressed(At(SmallQcow2.Compressed) + 4000, 1)),
        new("compressed in the header",                 "qcow2-overlap",      Compressed(1, 0)),
        new("compressed too often",                     "qcow2-overlap",      Image().Refcount(SmallQcow2.Compressed, 3).Bytes),
        new("compressed and copied",                    "qcow2-bad-geometry", Compressed(At(SmallQcow2.Compressed) | SmallQcow2.Copied, 0)),

        new("subcluster both data and zeros",           "qcow2-bad-geometry", Divided().SubclusterBits(0, 1 | 1UL << 32).Bytes),
        new("subcluster kept nowhere",                  "qcow2-bad-geometry", Divided().SubclusterBits(5, 1).Bytes),
        new("subclusters of a compressed cluster",      "qcow2-bad-geometry", Divided().SubclusterBits(3, 1).Bytes),
        new("subclusters and the zero bit",             "qcow2-bad-geometry", Divided().L2Entry(1, 1).Bytes),
        new("subclusters of short clusters",            "qcow2-bad-geometry", Image().Word(0, 72, 1UL << 4).Bytes),

        new("snapshot table beyond the end",            "truncated",          Image().Word(0, 64, Far).Bytes),
        new("snapshot table in the header",             "qcow2-bad-geometry", Image().Word(0, 64, 0).Bytes),
        new("snapshot table in data",                   "qcow2-overlap",      SnapshotTableInData()),
        new("snapshots without end",                    "qcow2-bad-geometry", Image().Word32(0, 60, uint.MaxValue).Bytes),
        new("snapshots up to the end and beyond",       "truncated",          Image().Word32(0, 60, 65536).Bytes),
        new("snapshot with much to say",                "qcow2-bad-geometry", Image().Word32(SmallQcow2.SnapshotTable, 36, uint.MaxValue).Bytes),
        new("snapshot with a long name",                "qcow2-bad-geometry", Image().Word16(SmallQcow2.SnapshotTable, 14, ushort.MaxValue).Bytes),
        new("snapshot of a long disk",                  "qcow2-bad-geometry", Image().Word(SmallQcow2.SnapshotTable, 48, 1UL << 61).Bytes),
        new("snapshot that maps half of its disk",      "qcow2-bad-geometry", Image().Word(SmallQcow2.SnapshotTable, 48, 1UL << 22).Bytes),
        new("snapshot of a long state",                 "qcow2-bad-geometry", Image().Word(SmallQcow2.SnapshotTable, 40, 1UL << 63).Bytes),
        new("snapshot's table beyond the end",          "truncated",          Image().Word(SmallQcow2.SnapshotTable, 0, Far).Bytes),
        new("snapshot's table in the header",           "qcow2-bad-geometry", Image().Word(SmallQcow2.SnapshotTable, 0, 0).Bytes),
        new("snapshot's table not at a cluster",        "qcow2-bad-geometry", Image().Word(SmallQcow2.SnapshotTable, 0, At(SmallQcow2.SnapshotL1) + 8).Bytes),
        new("snapshot's table that is the L1 table",    "qcow2-overlap",      Image().Word(SmallQcow2.SnapshotTable, 0, At(SmallQcow2.L1)).Bytes),
        new("snapshot's table too large",               "qcow2-bad-geometry", Image().Word32(SmallQcow2.SnapshotTable, 8, uint.MaxValue).Bytes),
        new("snapshot's L2 table at another place",     "qcow2-overlap",      Image().Word32(SmallQcow2.SnapshotTable, 8, 2).Word(SmallQcow2.SnapshotL1, 0, 0).Word(SmallQcow2.SnapshotL1, 8, At(SmallQcow2.L2)).Bytes),

        new("extensions without end",                   "qcow2-bad-geometry", Extensions(count: 400)),
        new("clusters of 2 MiB and a disk of 2 TiB",    "truncated",          Image().Word32(0, 20, 21).Word(0, 24, 1UL << 41).Word32(0, 36, 4).Word(0, 40, 1 << 21).Word(0, 48, 1 << 22).Word(0, 64, 0).Word32(0, 60, 0).Bytes),
    ];

    public static TheoryData<string> HeadersOfSamples => [.. SampleImages.Hostile.Where(i => i.Name.StartsWith("qcow2 ", StringComparison.Ordinal) && i.Feature != "polyglot").Select(i => i.Name)];

    [Theory, MemberData(nameof(Structures))]
    public async Task A_fault_in_the_structure_is_found_before_the_image_is_kept(HostileImage image)
    {
        Assert.Equal(image.Feature, (await RefuseAsync(image.Bytes)).Feature);
        await RefuseOrReadAsync(image.Bytes);
    }

    [Theory, MemberData(nameof(HeadersOfSamples))]
    public async Task What_the_inspection_refuses_cannot_be_opened_either(string name)
    {
        var image = SampleImages.Hostile.Single(i => i.Name == name);
        var refusal = await Assert.ThrowsAsync<UnsafeContentException>(() =>
            new DiskFormats().OpenAsync(new MemoryContent(image.Bytes), DiskFormat.Qcow2, Stop));
        Assert.Equal(image.Feature, refusal.Feature);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Compressed_clusters_that_do_not_unfold_to_a_cluster_are_refused_when_they_are_read(bool isZstd)
    {
        var image = new SmallQcow2(isZstd: isZstd);
        image.Cluster(SmallQcow2.Compressed).Fill(0xff);
        await RefuseReadAsync(image);
        image.Cluster(SmallQcow2.Compressed).Clear();
        await RefuseReadAsync(image);

        SmallQcow2.Deflate(new byte[100]).CopyTo(image.Cluster(SmallQcow2.Compressed));
        await RefuseReadAsync(image);
    }

    [Fact]
    public async Task A_cluster_that_would_unfold_for_ever_unfolds_to_a_cluster()
    {
        var image = new SmallQcow2();
        SmallQcow2.Deflate(new byte[2_000_000]).CopyTo(image.Cluster(SmallQcow2.Compressed));
        await using var disk = await OpenAsync(image.Bytes);
        var bytes = new byte[Cluster];
        bytes.AsSpan().Fill(7);
        await disk.ReadAsync(3 * Cluster, bytes, Stop);

        Assert.False(bytes.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(12, false)]
    [InlineData(14, true)]
    public async Task An_image_that_is_cut_short_is_refused(int clusterBits, bool hasSubclusters)
    {
        var image = new SmallQcow2(clusterBits: clusterBits, hasSubclusters: hasSubclusters);
        int[] ends =
        [
            .. Enumerable.Range(0, SmallQcow2.Clusters).SelectMany(c => new[] { -1, 0, 1, 8, 40, 72, 104, 112 }.Select(more => (c << clusterBits) + more)),
            image.Bytes.Length - 1,
        ];
        foreach (var end in ends.Where(e => e >= 0))
            Assert.Equal("truncated", (await RefuseAsync(image.Bytes.AsMemory(0, end))).Feature);
    }

    [Fact]
    public async Task Tables_that_share_one_L2_table_do_not_make_a_disk_that_goes_on_for_ever()
    {
        // An L1 table each of whose entries names the same L2 table: a disk of 1 TiB in a few megabytes.
        var bytes = new byte[(4 << 20) + SmallQcow2.Clusters * Cluster];
        new SmallQcow2(hasSnapshot: false).Word(0, 24, 1UL << 40).Word32(0, 36, 1 << 19).Word(0, 40, At(SmallQcow2.Clusters)).Bytes.CopyTo(bytes, 0);
        for (var at = SmallQcow2.Clusters * Cluster; at < bytes.Length; at += 8)
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(at), At(SmallQcow2.L2));

        await using var disk = await OpenAsync(bytes);
        Assert.Equal("qcow2-overlap", (await Assert.ThrowsAsync<UnsafeContentException>(() => disk.CheckAsync(Stop))).Feature);
        var listing = await Assert.ThrowsAsync<UnsafeContentException>(async () => await disk.ListExtentsAsync(0, disk.Length, Stop).CountAsync(Stop));
        Assert.Equal("qcow2-overlap", listing.Feature);
    }

    [Fact]
    public async Task A_huge_L1_table_is_never_held()
    {
        var bytes = new byte[(32 << 20) + SmallQcow2.Clusters * Cluster];
        new SmallQcow2(hasSnapshot: false).Word(0, 24, 1UL << 43).Word32(0, 36, 1 << 22).Word(0, 40, At(SmallQcow2.Clusters)).Bytes.CopyTo(bytes, 0);
        await using var disk = await OpenAsync(bytes);

        Assert.Equal([new Extent(0, disk.Length, ExtentKind.Absent)], await disk.ListExtentsAsync(0, disk.Length, Stop).ToListAsync(Stop));
        await disk.CheckAsync(Stop);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static SmallQcow2 Image(int version = 3) => new(version);

    private static SmallQcow2 Divided() => new(clusterBits: 14, hasSubclusters: true);

    private static ulong At(int cluster) => (ulong)cluster * Cluster;

    private static byte[] Compressed(ulong offset, int furtherSectors)
    {
        var image = Image();
        return image.L2Entry(3, image.CompressedEntry(offset, furtherSectors)).Bytes;
    }

    private static byte[] SnapshotTableInData()
    {
        var image = Image().Word(0, 64, At(SmallQcow2.FirstData));
        image.Cluster(SmallQcow2.SnapshotTable).CopyTo(image.Cluster(SmallQcow2.FirstData));
        return image.Bytes;
    }

    private static byte[] Extensions(int count)
    {
        var image = Image();
        for (var i = 0; i < count; i++)
            image.Word32(0, 112 + i * 8, 0x6803_f857);

        return image.Bytes;
    }

    private static Task<Qcow2Disk> OpenAsync(ReadOnlyMemory<byte> bytes) => Qcow2Disk.OpenAsync(new MemoryContent(bytes), Stop);

    private static Task<UnsafeContentException> RefuseAsync(ReadOnlyMemory<byte> bytes) => Assert.ThrowsAsync<UnsafeContentException>(async () =>
    {
        await using var disk = await OpenAsync(bytes);
        await disk.CheckAsync(Stop);
    });

    private static async Task RefuseReadAsync(SmallQcow2 image)
    {
        await using var disk = await OpenAsync(image.Bytes);
        await disk.CheckAsync(Stop);
        foreach (var length in new[] { 1, Cluster, 2 * Cluster })
        {
            var refusal = await Assert.ThrowsAsync<UnsafeContentException>(async () => await disk.ReadAsync(3 * Cluster, new byte[length], Stop));
            Assert.Equal("qcow2-damaged", refusal.Feature);
        }
    }

    // Nothing but a refusal may come out of what has not been checked.
    private static async Task RefuseOrReadAsync(byte[] bytes)
    {
        try
        {
            await using var disk = await OpenAsync(bytes);
            await disk.ReadAsync(0, new byte[Math.Min(disk.Length, 100_000)], Stop);
            await disk.ListExtentsAsync(0, disk.Length, Stop).CountAsync(Stop);
        }
        catch (UnsafeContentException)
        {
        }
    }
}
