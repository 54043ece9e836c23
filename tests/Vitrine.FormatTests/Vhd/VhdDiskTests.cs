using System.Buffers.Binary;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;
using static Vitrine.FormatTests.Vhd.VhdFile;

namespace Vitrine.FormatTests.Vhd;

public sealed class VhdDiskTests
{
    private const int GuestLength = 1_000_448;

    public static TheoryData<HostileDisk> Hostile => [.. Faults];

    private static HostileDisk[] Faults =>
    [
        new("as it should be",                     HostileDisk.Nothing,  () => Sample()),
        new("as it should be, fixed",              HostileDisk.Nothing,  () => Fixed(GuestBytes.Sparse(GuestLength))),
        new("no VHD",                              "truncated",          () => new byte[100_000]),
        new("nothing at all",                      "truncated",          () => []),
        new("a parent",                            "vhd-parent",         () => Footer(Sample(), 60, 4)),
        new("a block behind the end",              "truncated",          () => WithEntry(Sample(), 5, 1_000_000)),
        new("a block over the footer",             "truncated",          () => WithEntry(Sample(), 5, (uint)Sample().Length / SectorSize - 1)),
        new("a block whose end is the footer",     "vhd-bad-geometry",   () => WithEntry(Sample(), 5, (uint)(Sample().Length - BlockLength - SectorSize) / SectorSize)),
        new("a block twice",                       "vhd-bad-geometry",   () => WithEntry(Sample(), 5, EntryOf(Sample(), 0))),
        new("a block over a half of another",      "vhd-bad-geometry",   () => WithEntry(Sample(), 5, EntryOf(Sample(), 0) + 64)),
        new("a block over the header",             "vhd-bad-geometry",   () => WithEntry(Sample(), 5, 1)),
        new("a block over the table",              "vhd-bad-geometry",   () => WithEntry(Sample(), 5, 3)),
        new("a block at the start",                "vhd-bad-geometry",   () => WithEntry(Sample(), 5, 0)),
        new("a table over the header",             "vhd-bad-geometry",   () => Header(Sample(), 20, SectorSize)),
        new("a table between sectors",             "vhd-bad-geometry",   () => Header(Sample(), 20, TableOffset + 2)),
        new("a table behind the end",              "truncated",          () => Header(Sample(), 20, 1 << 30)),
        new("a table far behind the end",          "vhd-bad-geometry",   () => Header(Sample(), 16, uint.MaxValue)),
        new("a table that is short",               "vhd-bad-geometry",   () => Header(Sample(), 28, 3)),
        new("a table of 16 GiB",                   "truncated",          () => Header(Sample(), 28, uint.MaxValue)),
        new("blocks of three sectors",             "vhd-bad-geometry",   () => Header(Sample(), 32, 1536)),
        new("blocks of 2 GiB",                     "vhd-bad-geometry",   () => Header(Sample(), 32, 1u << 31)),
        new("a header that is the footer",         "vhd-bad-geometry",   () => Footer(Sample(), 20, 0)),
        new("a header between sectors",            "vhd-bad-geometry",   () => Footer(Sample(), 20, 513)),
        new("2^61 bytes",                          "vhd-bad-geometry",   () => Footer(Sample(), 48, 1 << 29)),
        new("half a sector more",                  "truncated",          () => [.. Sample(), .. new byte[256]]),
        new("a footer of another mind",            "vhd-bad-geometry",   () => [.. Sample()[..^SectorSize], .. Fixed(new byte[SectorSize])[^SectorSize..]]),
    ];

    [Theory]
    [InlineData(512, BlockLength)]
    [InlineData(BlockLength, BlockLength)]
    [InlineData(GuestLength, BlockLength)]
    [InlineData(GuestLength, 512)]
    [InlineData(8 * 1024 * 1024, 2 * 1024 * 1024)]
    public async Task A_disk_that_grows_keeps_the_contract(int length, int blockLength)
    {
        var guest = GuestBytes.Sparse(length);
        await using var disk = await OpenAsync(Dynamic(guest, blockLength: blockLength));
        await DiskContract.HoldAsync(disk, guest, Stop);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(GuestLength)]
    public async Task A_fixed_disk_keeps_the_contract(int length)
    {
        var guest = GuestBytes.Sparse(length);
        await using var disk = await OpenAsync(Fixed(guest));
        await DiskContract.HoldAsync(disk, guest, Stop);
    }

    // 504 KiB a cylinder; the disk has 1,000,448 bytes.
    [Theory]
    [InlineData("vpc ", 1, 516_096)]
    [InlineData("qemu", 1, 516_096)]
    [InlineData("qemu", 3, GuestLength)]
    [InlineData("vpc ", 0, GuestLength)]
    [InlineData("win ", 1, GuestLength)]
    [InlineData("qem2", 1, GuestLength)]
    [InlineData("vbox", 1, GuestLength)]
    [InlineData("tap\0", 1, GuestLength)]
    public async Task A_disk_is_as_long_as_its_creator_shows_it(string creator, int cylinders, int expected)
    {
        var guest = GuestBytes.Sparse(GuestLength);
        await using var dynamic = await OpenAsync(Dynamic(guest, creator, cylinders));
        await DiskContract.HoldAsync(dynamic, guest.AsMemory(0, expected), Stop);
        await using var whole = await OpenAsync(Fixed(guest, creator, cylinders));
        await DiskContract.HoldAsync(whole, guest.AsMemory(0, expected), Stop);
    }

    [Fact]
    public async Task What_lies_in_a_sector_that_was_never_written_is_not_read()
    {
        var image = Dynamic(GuestBytes.Random(BlockLength));
        var bitmap = image.AsSpan((int)EntryOf(image, 0) * SectorSize);
        bitmap[0] = 0b0101_1111;
        await using var disk = await OpenAsync(image);
        var expected = GuestBytes.Random(BlockLength);
        expected.AsSpan(0, 512).Clear();
        expected.AsSpan(1024, 512).Clear();
        await DiskContract.HoldAsync(disk, expected, Stop);
    }

    [Theory, MemberData(nameof(Hostile))]
    public async Task What_is_wrong_has_a_name(HostileDisk disk)
    {
        Assert.Equal(disk.Feature, await Handling.HandleAsync(disk.Bytes(), DiskFormat.Vhd, Stop));
    }

    [Fact]
    public async Task A_file_that_is_cut_is_refused_wherever_that_is()
    {
        var image = Sample();
        for (var length = 0; length < image.Length; length += length < 5000 ? 64 : 3584)
            Assert.NotEqual(HostileDisk.Nothing, await Handling.HandleAsync(image.AsMemory(0, length), DiskFormat.Vhd, Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static byte[] Sample() => Dynamic(GuestBytes.Sparse(GuestLength));

    private static uint EntryOf(byte[] image, int block) =>
        BinaryPrimitives.ReadUInt32BigEndian(image.AsSpan(TableOffset + 4 * block));

    private static byte[] Header(byte[] image, int at, uint value) => Footer(image, SectorSize + at, value);

    private static byte[] Footer(byte[] image, int at, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(at), value);
        Repair(image);
        return image;
    }

    private static Task<Disk> OpenAsync(byte[] image) => new DiskFormats().OpenAsync(new MemoryContent(image), DiskFormat.Vhd, Stop);
}
