using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.FormatTests.Inspection;
using Vitrine.Images;
using static Vitrine.FormatTests.Vhdx.VhdxFile;

namespace Vitrine.FormatTests.Vhdx;

public sealed class VhdxDiskTests
{
    private const int GuestLength = 3_500_032;

    public static TheoryData<HostileDisk> Hostile => [.. Faults];

    private static HostileDisk[] Faults =>
    [
        new("as it should be",                   HostileDisk.Nothing,          () => Sample()),
        new("no VHDX",                           "wrong-format",               () => new byte[100_000]),
        new("nothing at all",                    "truncated",                  () => []),
        new("a parent",                          "vhdx-parent",                () => Put(Sample(), VhdxFile.Metadata + 64 * KiB + 4, 2)),
        new("a block partly in a parent",        "vhdx-parent",                () => WithEntry(Sample(), 1, Data | 7)),
        new("a block of an unknown state",       "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, 4)),
        new("a block of an older state",         "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, 5)),
        new("a block with unknown bits",         "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, Data | 8 | Present)),
        new("a block behind the end",            "truncated",                  () => WithEntry(Sample(), 1, 1UL << 40 | Present)),
        new("a block far behind the end",        "truncated",                  () => WithEntry(Sample(), 1, ~0UL << 20 | Present)),
        new("a block twice",                     "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, Data | Present)),
        new("a block over the block table",      "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, Bat | Present)),
        new("a block over the metadata",         "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, VhdxFile.Metadata | Present)),
        new("a block over the log",              "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, Log | Present)),
        new("a block over the headers",          "vhdx-bad-geometry",          () => WithEntry(Sample(), 1, Present)),
        new("a disk that no table maps",         "vhdx-bad-geometry",          () => Put(Sample(), VhdxFile.Metadata + 64 * KiB + 8 + 4, 1 << 20)),
        new("2^61 bytes",                        "vhdx-bad-geometry",          () => Put(Sample(), VhdxFile.Metadata + 64 * KiB + 8 + 4, 1 << 29)),
        new("half a sector",                     "vhdx-bad-geometry",          () => Dynamic(GuestBytes.Sparse(GuestLength), 4096)),
        new("blocks of 3 MiB",                   "vhdx-bad-geometry",          () => Put(Sample(), VhdxFile.Metadata + 64 * KiB, 3 * MiB)),
        new("a block table over the metadata",   "vhdx-bad-geometry",          () => Regions(Sample(), 32, VhdxFile.Metadata)),
        new("a block table over the log",        "vhdx-bad-geometry",          () => Regions(Sample(), 32, Log)),
        new("a block table behind the end",      "truncated",                  () => Regions(Sample(), 32, 1 << 30)),
        new("a region over the headers",         "vhdx-bad-geometry",          () => Regions(Sample(), 32, 0)),
        new("a region between MiB",              "vhdx-bad-geometry",          () => Regions(Sample(), 32, Bat + 512)),
        new("a log that is cut",                 "truncated",                  () => Logged(new LogChange(Bat, new byte[4096]), flushed: 1L << 30)),
        new("a log that changes headers",        "vhdx-bad-log",               () => Logged(new LogChange(64 * KiB, new byte[4096]))),
        new("a log that clears headers",         "vhdx-bad-log",               () => Logged(new LogChange(0, null, 2 * MiB))),
        new("a log that changes itself",         "vhdx-bad-log",               () => Logged(new LogChange(Log + 4096, new byte[4096]))),
        new("a log that clears itself",          "vhdx-bad-log",               () => Logged(new LogChange(Log - 4096 + MiB, null, 8192))),
        new("a log that writes behind the end",  "vhdx-bad-log",               () => Logged(new LogChange(1L << 40, new byte[4096]))),
        new("a log that writes before the start", "vhdx-bad-log",              () => Logged(new LogChange(-4096, new byte[4096]))),
        new("a log that clears 2^63 bytes",      "vhdx-bad-log",               () => Logged(new LogChange(Data, null, long.MinValue))),
        new("a log that clears 8 TiB",           "vhdx-bad-log",               () => Logged(new LogChange(Data, null, 1L << 43), last: 1L << 44)),
        new("a log that clears again and again", "vhdx-bad-log",               LogThatClears),
        new("a log that writes between pages",   "vhdx-bad-log",               () => Logged(new LogChange(Data + 512, new byte[4096]))),
        new("a log that grows beyond all",       "vhdx-bad-log",               () => Logged(new LogChange(Data, new byte[4096]), last: long.MaxValue)),
        new("a log that grows to 256 TiB",       "vhdx-bad-log",               () => Logged(new LogChange(Data, new byte[4096]), last: 1L << 48)),
        new("a log that adds a parent",          "vhdx-parent",                () => Logged(new LogChange(VhdxFile.Metadata + 64 * KiB, [0, 0, 16, 0, 2, .. new byte[4091]]))),
        new("a log that doubles a block",        "vhdx-bad-geometry",          () => Logged(new LogChange(Bat, [.. Entry(Data), .. Entry(Data), .. new byte[4080]]))),
        new("a log of another version",          "vhdx-incompatible-features", () => LogHeader(64, 1)),
        new("a log of 3 GiB",                    "vhdx-bad-log",               () => LogHeader(68, 3u << 30)),
        new("a log behind the end",              "truncated",                  () => LogHeader(72, 1 << 30)),
        new("a log over the headers",            "vhdx-bad-log",               () => LogHeader(72, 0)),
        new("a log in pieces",                   "vhdx-bad-log",               LogInPieces),
    ];

    [Theory]
    [InlineData(512, 512u, 0ul, false)]
    [InlineData(MiB, 4096u, 0ul, false)]
    [InlineData(GuestLength, 512u, 0ul, false)]
    [InlineData(GuestLength, 512u, Zero, true)]
    [InlineData(GuestLength, 512u, Unmapped, false)]
    [InlineData(4 * MiB, 4096u, 1ul, true)]
    public async Task A_disk_keeps_the_contract(int length, uint sectorSize, ulong state, bool backwards)
    {
        var guest = GuestBytes.Sparse(length);
        await using var disk = await OpenAsync(Dynamic(guest, sectorSize, state, backwards));
        await DiskContract.HoldAsync(disk, guest, Stop);
    }

    [Fact]
    public async Task Blocks_are_of_the_kind_that_the_table_says()
    {
        var image = Dynamic(new byte[7 * MiB]);
        ulong[] states = [0, 1, Zero, Unmapped, Zero, 0, 1];
        for (var i = 0; i < states.Length; i++)
            WithEntry(image, i, states[i]);

        await using var disk = await OpenAsync(image);
        var extents = new List<Extent>();
        await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, Stop))
            extents.Add(extent);

        Assert.Equal(
            [
                new Extent(0, 2 * MiB, ExtentKind.Absent), new Extent(2 * MiB, MiB, ExtentKind.Zero), new Extent(3 * MiB, MiB, ExtentKind.Absent),
                new Extent(4 * MiB, MiB, ExtentKind.Zero), new Extent(5 * MiB, 2 * MiB, ExtentKind.Absent),
            ],
            extents);
    }

    [Fact]
    public async Task Entries_of_bitmaps_are_passed_over()
    {
        // A chunk has 4,096 blocks of 1 MiB; the disk is of three of them and a little, with data at each end.
        const int chunk = 4096;
        const long length = 3L * chunk * MiB + 512;
        var image = Dynamic(GuestBytes.Random(6 * MiB));
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(VhdxFile.Metadata + 64 * KiB + 8), length);
        int[] blocks = [0, chunk - 1, chunk, 2 * chunk - 1, 2 * chunk, 3 * chunk];
        for (var i = 0; i < 6; i++)
            WithEntry(image, i, 0);
        for (var i = 0; i < 6; i++)
            WithEntry(image, blocks[i] + blocks[i] / chunk, (ulong)(Data + i * MiB) | Present);

        await using var disk = await OpenAsync(image);
        var guest = GuestBytes.Random(6 * MiB);
        var buffer = new byte[512];
        for (var i = 0; i < 6; i++)
        {
            await disk.ReadAsync((long)blocks[i] * MiB, buffer, Stop);
            Assert.True(guest.AsSpan(i * MiB, 512).SequenceEqual(buffer));
        }

        await disk.CheckAsync(Stop);
        Assert.Equal("vhdx-bad-geometry", await Handling.HandleAsync(WithEntry(image, chunk, Data | Present), DiskFormat.Vhdx, Stop));
    }

    [Theory, MemberData(nameof(Hostile))]
    public async Task What_is_wrong_has_a_name(HostileDisk disk)
    {
        Assert.Equal(disk.Feature, await Handling.HandleAsync(disk.Bytes(), DiskFormat.Vhdx, Stop));
    }

    [Fact]
    public async Task A_log_is_replayed()
    {
        // The table is still empty and the disk's first block not there: both are in the log, the file's end too.
        var guest = GuestBytes.Random(MiB);
        var image = Dynamic(new byte[MiB]);
        var at = WriteLogEntry(image, MiB - 8192, sequence: 7, tail: MiB - 8192,
            [new LogChange(Data, guest[..4096]), new LogChange(Data + 4096, null, MiB - 4096)], last: Data + MiB);
        at = WriteLogEntry(image, at, sequence: 8, tail: MiB - 8192, [new LogChange(Bat, [.. Entry(Data), .. new byte[4088]])]);
        WriteLogEntry(image, at, sequence: 9, tail: MiB - 8192, [new LogChange(Data + 8192, guest[8192..12_288])]);

        var before = image.ToArray();
        await using var disk = await OpenAsync(image);
        var expected = new byte[MiB];
        guest.AsSpan(0, 4096).CopyTo(expected);
        guest.AsSpan(8192, 4096).CopyTo(expected.AsSpan(8192));
        await DiskContract.HoldAsync(disk, expected, Stop);
        Assert.Equal(before, image);
    }

    [Fact]
    public async Task What_a_log_hides_from_whoever_sees_the_bytes_pass_is_found_when_it_is_replayed()
    {
        foreach (var fault in Faults.Where(f => f.Name.StartsWith("a log that ", StringComparison.Ordinal)))
        {
            var image = fault.Bytes();
            Assert.Equal(new FormatVerdict(DiskFormat.Vhdx, VirtualSize: null), Judgement.Of(image).Verdict);
            Assert.Equal(Judgement.Of(image).Verdict, await FormatInspector.InspectAsync(new MemoryContent(image), Stop));
        }
    }

    [Fact]
    public async Task What_is_left_of_older_logs_is_not_replayed()
    {
        var guest = GuestBytes.Sparse(GuestLength);
        var image = Dynamic(guest);
        var wrong = new LogChange(Data, new byte[4096]);

        // Before the tail; of a higher number but without its tail; damaged; of a number that does not follow.
        WriteLogEntry(image, 0, sequence: 4, tail: 0, [wrong]);
        WriteLogEntry(image, 8192, sequence: 5, tail: 8192, [new LogChange(Data + 4096, guest[4096..8192])]);
        WriteLogEntry(image, 64 * KiB, sequence: 90, tail: 32 * KiB, [wrong]);
        WriteLogEntry(image, 128 * KiB, sequence: 95, tail: 128 * KiB, [wrong]);
        image[Log + 128 * KiB + 5000] ^= 1;
        WriteLogEntry(image, 16 * KiB, sequence: 2, tail: 16 * KiB, [wrong]);

        await using var disk = await OpenAsync(image);
        await DiskContract.HoldAsync(disk, guest, Stop);
    }

    [Fact]
    public async Task A_log_without_a_sequence_changes_nothing()
    {
        var guest = GuestBytes.Sparse(GuestLength);
        await using var disk = await OpenAsync(WithLogId(Dynamic(guest)));
        await DiskContract.HoldAsync(disk, guest, Stop);
    }

    [Fact]
    public async Task A_file_that_is_cut_is_refused_wherever_that_is()
    {
        var image = Dynamic(GuestBytes.Random(MiB));
        foreach (var length in Enumerable.Range(0, image.Length / (64 * KiB)).SelectMany(i => (int[])[i * 64 * KiB, i * 64 * KiB + 100]))
            Assert.NotEqual(HostileDisk.Nothing, await Handling.HandleAsync(image.AsMemory(0, length), DiskFormat.Vhdx, Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static byte[] Sample() => Dynamic(GuestBytes.Sparse(GuestLength));

    private static byte[] Entry(long offset) => BitConverter.GetBytes((ulong)offset | Present);

    private static byte[] Logged(LogChange change, long? flushed = null, long? last = null)
    {
        var image = Sample();
        WriteLogEntry(image, 0, sequence: 5, tail: 0, [change], flushed, last);
        return image;
    }

    private static byte[] LogHeader(int at, uint value)
    {
        var image = Put(WithLogId(Sample()), 64 * KiB + at, value);
        Repair(image);
        return image;
    }

    private static byte[] Regions(byte[] image, int at, uint offset)
    {
        // The block table is the first entry of both region tables.
        Put(image, 192 * KiB + at, offset);
        Put(image, 256 * KiB + at, offset);
        Repair(image);
        return image;
    }

    private static byte[] LogThatClears()
    {
        var image = Sample();
        var change = new LogChange(Data, null, 512L * MiB);
        WriteLogEntry(image, 0, sequence: 5, tail: 0, [.. Enumerable.Repeat(change, 30_000)], last: 1L << 30);
        return image;
    }

    // Every sector claims to begin an entry as long as the log, and none of them is whole.
    private static byte[] LogInPieces()
    {
        var image = Sample();
        WriteLogEntry(image, 0, sequence: 1, tail: 0, []);
        var header = image.AsSpan(Log, 64).ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), MiB);
        for (var at = 0; at < MiB; at += 4096)
            header.CopyTo(image.AsSpan(Log + at));

        return image;
    }

    private static byte[] Put(byte[] image, int at, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        return image;
    }

    private static Task<Disk> OpenAsync(byte[] image) => new DiskFormats().OpenAsync(new MemoryContent(image), DiskFormat.Vhdx, Stop);
}
