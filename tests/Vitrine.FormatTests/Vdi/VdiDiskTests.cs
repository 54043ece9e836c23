using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;
using static Vitrine.FormatTests.Vdi.VdiFile;

namespace Vitrine.FormatTests.Vdi;

public sealed class VdiDiskTests
{
    private const int GuestLength = 1_000_448;

    public static TheoryData<HostileDisk> Hostile => [.. Faults];

    private static HostileDisk[] Faults =>
    [
        new("as it should be",                  HostileDisk.Nothing,         () => Sample()),
        new("no VDI",                           "wrong-format",              () => new byte[100_000]),
        new("a parent",                         "vdi-parent",                () => Put(Sample(), 0x1a8, 1)),
        new("a block behind the end",           "truncated",                 () => WithEntry(Sample(), 5, 1000)),
        new("a block far behind the end",       "truncated",                 () => WithEntry(Sample(), 5, uint.MaxValue - 2)),
        new("a block twice",                    "vdi-bad-geometry",          () => WithEntry(Sample(), 5, 0)),
        new("more blocks than the disk has",    "vdi-bad-geometry",          () => [.. WithEntry(Sample(), 5, 16), .. new byte[32 * BlockLength]]),
        new("a map that is short",              "vdi-bad-geometry",          () => Put(Sample(), 0x180, 3)),
        new("a map of 16 GiB",                  "vdi-bad-geometry",          () => Put(Sample(), 0x180, uint.MaxValue)),
        new("a map over the header",            "vdi-bad-geometry",          () => Put(Sample(), 0x154, 0)),
        new("a map between sectors",            "vdi-bad-geometry",          () => Put(Sample(), 0x154, 516)),
        new("a map behind the end",             "truncated",                 () => Put(Put(Sample(), 0x154, 1u << 30), 0x158, 1u << 31)),
        new("blocks over the map",              "vdi-bad-geometry",          () => Put(Sample(), 0x158, 512)),
        new("blocks behind the end",            "truncated",                 () => Put(Sample(), 0x158, 1u << 31)),
        new("blocks of 2 GiB",                  "vdi-bad-geometry",          () => Put(Sample(), 0x178, 1u << 31)),
        new("blocks of three sectors",          "vdi-bad-geometry",          () => Put(Sample(), 0x178, 1536)),
        new("blocks with something before",     "vdi-incompatible-features", () => Put(Sample(), 0x17c, 512)),
        new("2^61 bytes",                       "vdi-bad-geometry",          () => Put(Sample(), 0x174, 1 << 29)),
    ];

    [Theory]
    [InlineData(512, false, false)]
    [InlineData(BlockLength + 512, true, true)]
    [InlineData(GuestLength, false, false)]
    [InlineData(GuestLength, true, false)]
    [InlineData(GuestLength, false, true)]
    public async Task A_disk_keeps_the_contract(int length, bool zeroBlocks, bool backwards)
    {
        var guest = GuestBytes.Sparse(length);
        await using var disk = await OpenAsync(Dynamic(guest, zeroBlocks, backwards));
        await DiskContract.HoldAsync(disk, guest, Stop);
    }

    [Fact]
    public async Task Blocks_of_zeros_are_told_from_those_that_are_not_there()
    {
        var image = WithEntry(Dynamic(new byte[3 * BlockLength]), 1, uint.MaxValue - 1);
        await using var disk = await OpenAsync(image);
        var kinds = new List<ExtentKind>();
        await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, Stop))
            kinds.Add(extent.Kind);

        Assert.Equal([ExtentKind.Absent, ExtentKind.Zero, ExtentKind.Absent], kinds);
    }

    [Theory, MemberData(nameof(Hostile))]
    public async Task What_is_wrong_has_a_name(HostileDisk disk)
    {
        Assert.Equal(disk.Feature, await Handling.HandleAsync(disk.Bytes(), DiskFormat.Vdi, Stop));
    }

    [Fact]
    public async Task A_file_that_is_cut_is_refused_wherever_that_is()
    {
        var image = Dynamic(GuestBytes.Random(GuestLength / BlockLength * BlockLength));
        for (var length = 0; length < image.Length; length += length < 2000 ? 16 : 4096)
            Assert.NotEqual(HostileDisk.Nothing, await Handling.HandleAsync(image.AsMemory(0, length), DiskFormat.Vdi, Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static byte[] Sample() => Dynamic(GuestBytes.Sparse(GuestLength));

    private static Task<Disk> OpenAsync(byte[] image) => new DiskFormats().OpenAsync(new MemoryContent(image), DiskFormat.Vdi, Stop);
}
