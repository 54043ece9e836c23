using System.Buffers.Binary;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;
using static Vitrine.FormatTests.Vmdk.VmdkFile;

namespace Vitrine.FormatTests.Vmdk;

public sealed class VmdkDiskTests
{
    private const int GuestLength = 1_000_448;

    public static TheoryData<HostileDisk> Hostile => [.. Faults];

    private static HostileDisk[] Faults =>
    [
        new("as it should be, sparse",             HostileDisk.Nothing,        () => Sample()),
        new("as it should be, stream",             HostileDisk.Nothing,        () => StreamSample()),
        new("no VMDK",                             "wrong-format",             () => new byte[100_000]),
        new("a flat descriptor",                   "wrong-format",             () => [.. "# Disk DescriptorFile\n"u8, .. new byte[100_000]]),
        new("a parent",                            "vmdk-parent",              () => WithText(Sample(), "parentCID=ffffffff", "parentCID=12121212")),
        new("an old end behind a shorter id",      HostileDisk.Nothing,        () => WithBehindText(Sample(), "\0\"\n")),
        new("other text behind the descriptor",    "vmdk-bad-descriptor",      () => WithBehindText(Sample(), "\0'\n")),
        new("much behind the descriptor",          "vmdk-bad-descriptor",      () => WithBehindText(Sample(), "\0\0\0\0\0\0\0\0\n")),
        new("a foreign extent",                    "vmdk-foreign-extent",      () => WithText(Sample(), "SPARSE \"disk", "SPARSE \"/isk")),
        new("a grain behind the end",              "truncated",                () => WithEntry(Sample(), 3, 1_000_000)),
        new("a grain that ends behind the end",    "truncated",                () => WithEntry(Sample(), 3, (uint)Sample().Length / SectorSize - 1)),
        new("a grain twice",                       "vmdk-bad-geometry",        () => WithEntry(Sample(), 3, EntryOf(Sample(), 0))),
        new("a grain over a half of another",      "vmdk-bad-geometry",        () => WithEntry(Sample(), 3, EntryOf(Sample(), 0) + GrainSectors / 2)),
        new("a grain over the header",             "vmdk-bad-geometry",        () => WithEntry(Sample(), 3, 2)),
        new("a grain over the grain table",        "vmdk-bad-geometry",        () => WithEntry(Sample(), 3, SecondTables)),
        new("a zero grain without the flag",       "vmdk-bad-geometry",        () => WithEntry(Sample(), 3, 1)),
        new("a grain behind the disk's end",       "vmdk-bad-geometry",        () => WithEntry(Sample(), 500, EntryOf(Sample(), 0))),
        new("a table behind the end",              "truncated",                () => Word(Sample(), SecondDirectory, uint.MaxValue)),
        new("a table that is the directory",       "vmdk-bad-geometry",        () => Word(Sample(), SecondDirectory, SecondDirectory)),
        new("a table over the header",             "vmdk-bad-geometry",        () => Word(Sample(), SecondDirectory, 1)),
        new("directories of two minds",            "vmdk-bad-geometry",        () => Word(Sample(), SecondDirectory, 0)),
        new("tables of two minds",                 "vmdk-bad-geometry",        () => Word(Sample(), SecondTables, 0)),
        new("a directory behind the end",          "truncated",                () => Word(Sample(), 0, 1u << 30, at: 56)),
        new("a second directory behind the end",   "truncated",                () => Word(Sample(), 0, 1u << 30, at: 48)),
        new("a directory over the header",         "vmdk-bad-geometry",        () => Word(Sample(), 0, 1, at: 56)),
        new("a capacity that no directory holds",  "truncated",                () => Word(Sample(), 0, 1u << 16, at: 16)),
        new("2^61 bytes",                          "vmdk-bad-geometry",        () => Word(Sample(), 0, 1u << 24, at: 16)),
        new("compressed grains of 1 GiB",          "vmdk-bad-geometry",        () => Word(StreamSample(), 0, 1u << 21, at: 20)),
        new("compressed grains without markers",   "vmdk-incompatible-features", () => Word(StreamSample(), 0, 0x10001, at: 8)),
        new("markers without compressed grains",   "vmdk-incompatible-features", () => Word(Sample(), 0, 0x20003, at: 8)),

        new("a stream cut short",                  "truncated",                () => StreamSample()[..^SectorSize]),
        new("a stream without its footer",         "truncated",                () => Word(StreamSample(), StreamSample().Length / SectorSize - 2, 0)),
        new("a marker of another grain",           "vmdk-bad-stream",          () => Word(StreamSample(), Overhead, GrainSectors)),
        new("a marker between grains",             "vmdk-bad-stream",          () => Word(StreamSample(), Overhead, 1)),
        new("a marker of a grain far away",        "vmdk-bad-stream",          () => Word(StreamSample(), Overhead, uint.MaxValue, at: 4)),
        new("a marker of no size",                 "vmdk-bad-stream",          () => Word(StreamSample(), Overhead, 0, at: 8)),
        new("a marker of a huge size",             "vmdk-bad-stream",          () => Word(StreamSample(), Overhead, uint.MaxValue, at: 8)),
        new("a marker of a size that overlaps",    "vmdk-bad-geometry",        () => Word(StreamSample(), Overhead, 2 * GrainLength, at: 8)),
        new("a grain that no table names",         "vmdk-bad-stream",          () => Word(StreamSample(), StreamTable(), 0)),
        new("a grain that begins in another",      "vmdk-bad-stream",          () => Word(StreamSample(), StreamTable(), Overhead + 1)),
        new("deflate that is damaged",             "vmdk-damaged",             () => Word(StreamSample(), Overhead, 0x1234_5678, at: 12)),
        new("deflate that asks for a dictionary",  "vmdk-damaged",             () => Word(StreamSample(), Overhead, 0x0000_bb78, at: 12)),
        new("deflate that is damaged inside",      "vmdk-damaged",             () => Word(StreamSample(), Overhead + 1, 0x1234_5678)),
        new("a grain that unfolds to too much",    "vmdk-damaged",             () => WithGrain(new byte[100 * GrainLength])),
        new("a grain that unfolds to too little",  "vmdk-damaged",             () => WithGrain(new byte[GrainLength - 1])),
        new("an end of the stream in its middle",  "vmdk-bad-stream",          () => Word(StreamSample(), Overhead - 1, 0, header: Overhead - 1)),
    ];

    [Theory]
    [InlineData(512)]
    [InlineData(GrainLength)]
    [InlineData(GrainLength + 512)]
    [InlineData(GuestLength)]
    [InlineData(TableEntries * GrainLength)]
    public async Task A_sparse_disk_keeps_the_contract(int length)
    {
        var guest = GuestBytes.Sparse(length);
        await using var disk = await OpenAsync(Sparse(guest));
        await DiskContract.HoldAsync(disk, guest, Stop);
        await using var zeros = await OpenAsync(Sparse(guest, zeroGrains: true));
        await DiskContract.HoldAsync(zeros, guest, Stop);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(GrainLength + 512)]
    [InlineData(GuestLength)]
    [InlineData(3 * TableEntries * GrainLength - 512)]
    public async Task A_stream_keeps_the_contract(int length)
    {
        var guest = GuestBytes.Sparse(length);
        await using var disk = await OpenAsync(Stream(guest));
        await DiskContract.HoldAsync(disk, guest, Stop);
    }

    [Fact]
    public async Task Grains_of_zeros_are_told_from_those_that_are_not_there()
    {
        var guest = new byte[3 * GrainLength];
        guest[GrainLength] = 1;
        await using var zero = await OpenAsync(Sparse(guest, zeroGrains: true));
        Assert.Equal([ExtentKind.Zero, ExtentKind.Data, ExtentKind.Zero], await KindsAsync(zero));
        await using var absent = await OpenAsync(Sparse(guest));
        Assert.Equal([ExtentKind.Absent, ExtentKind.Data, ExtentKind.Absent], await KindsAsync(absent));
    }

    [Theory, MemberData(nameof(Hostile))]
    public async Task What_is_wrong_has_a_name(HostileDisk disk)
    {
        Assert.Equal(disk.Feature, await Handling.HandleAsync(disk.Bytes(), DiskFormat.Vmdk, Stop));
    }

    [Fact]
    public async Task A_file_that_is_cut_is_refused_wherever_that_is()
    {
        foreach (var image in new[] { Sparse(GuestBytes.Random(8 * GrainLength)), StreamSample() })
        {
            for (var length = 0; length < image.Length; length += 256)
                Assert.NotEqual(HostileDisk.Nothing, await Handling.HandleAsync(image.AsMemory(0, length), DiskFormat.Vmdk, Stop));
        }
    }

    [Fact]
    public async Task Reads_beside_one_another_see_the_same()
    {
        var guest = GuestBytes.Sparse(GuestLength);
        await using var disk = await OpenAsync(Stream(guest));
        await Parallel.ForAsync(0, 500, Stop, async (i, stop) =>
        {
            var start = i * 7919 % (GuestLength - 5000);
            var bytes = new byte[5000];
            await disk.ReadAsync(start, bytes, stop);
            Assert.True(guest.AsSpan(start, bytes.Length).SequenceEqual(bytes));
        });
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static byte[] Sample() => Sparse(GuestBytes.Sparse(GuestLength));

    private static byte[] StreamSample() => Stream(GuestBytes.Sparse(GuestLength));

    // From the end: marker, footer, marker of the end, and before them the directory, its marker and the table.
    private static int StreamTable() => StreamSample().Length / SectorSize - 3 - 2 - 4;

    private static byte[] Word(byte[] image, int sector, uint value, int at = 0, int? header = null)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(sector * SectorSize + at), value);
        if (header is { } overhead)
            BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(64), (ulong)overhead);

        return image;
    }

    private static byte[] WithText(byte[] image, string old, string text)
    {
        var at = image.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(old));
        System.Text.Encoding.ASCII.GetBytes(text).CopyTo(image.AsSpan(at));
        return image;
    }

    private static byte[] WithBehindText(byte[] image, string rest)
    {
        var end = SectorSize + image.AsSpan(SectorSize).IndexOf((byte)0);
        System.Text.Encoding.ASCII.GetBytes(rest).CopyTo(image.AsSpan(end));
        return image;
    }

    private static uint EntryOf(byte[] image, int grain) =>
        BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(SecondTables * SectorSize + grain * 4));

    // The first grain is of random bytes, so that its place has room for whatever packs better.
    private static byte[] WithGrain(byte[] bytes)
    {
        var image = StreamSample();
        var grain = VmdkFile.Grain(0, bytes);

        // The size stays, so that the next marker is where it was; what follows the end of the deflated bytes is not looked at.
        Assert.True(grain.Length - 12 <= BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(Overhead * SectorSize + 8)));
        grain.AsSpan(12).CopyTo(image.AsSpan(Overhead * SectorSize + 12));
        return image;
    }

    private static Task<Disk> OpenAsync(byte[] image) => new DiskFormats().OpenAsync(new MemoryContent(image), DiskFormat.Vmdk, Stop);

    private static async Task<List<ExtentKind>> KindsAsync(Disk disk)
    {
        var kinds = new List<ExtentKind>();
        await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, Stop))
            kinds.Add(extent.Kind);

        return kinds;
    }
}
