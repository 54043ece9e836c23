using System.Formats.Tar;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Formats.Iso9660;
using Vitrine.FormatTests.Iso9660;
using Vitrine.FormatTests.Ova;
using Vitrine.FormatTests.Qcow2;
using Vitrine.FormatTests.Vdi;
using Vitrine.FormatTests.Vhd;
using Vitrine.FormatTests.Vhdx;
using Vitrine.FormatTests.Vmdk;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Fuzzing;

/// <summary>A parser, the images whose mutants it is given, and all that it does with one.</summary>
/// <param name="TryAsync">Fails where anything but an answer or a refusal comes of it. The number is the execution's.</param>
internal sealed record FuzzedParser(FuzzSeed[] Seeds, Func<ReadOnlyMemory<byte>, ulong, Task> TryAsync)
{
    private const int Sector = 512;
    private const int MiB = 1024 * 1024;

    public static readonly IReadOnlyDictionary<string, Func<FuzzedParser>> All = new Dictionary<string, Func<FuzzedParser>>
    {
        ["qcow2"] = () => new(Qcow2Seeds(), new FuzzedDisk(DiskFormat.Qcow2).TryAsync),
        ["vmdk"] = () => new(VmdkSeeds(), new FuzzedDisk(DiskFormat.Vmdk).TryAsync),
        ["vhd"] = () => new(VhdSeeds(), new FuzzedDisk(DiskFormat.Vhd).TryAsync),
        ["vhdx"] = () => new(VhdxSeeds(), new FuzzedDisk(DiskFormat.Vhdx).TryAsync),
        ["vdi"] = () => new(VdiSeeds(), new FuzzedDisk(DiskFormat.Vdi).TryAsync),
        ["ova"] = () => new(OvaSeeds(), new FuzzedDisk(DiskFormat.Vmdk, ContainerFormat.Ova).TryAsync),
        ["iso"] = () => new(IsoSeeds(), ReadVolumeAsync),
        ["forward pass"] = () => new(
            [
                .. Qcow2Seeds(), .. VmdkSeeds(), .. VhdSeeds(), .. VdiSeeds(), .. OvaSeeds(), .. IsoSeeds(), .. VhdxSeeds(),
                .. SampleImages.Valid.Where(i => i.Bytes.Length < MiB).Select(i => new FuzzSeed(i.Bytes, Written(i.Bytes))),
            ],
            PassAsync),
    };

    private static FuzzSeed[] Qcow2Seeds() =>
    [
        .. from image in (SmallQcow2[])
            [
                new(version: 2, clusterBits: 9), new(clusterBits: 9), new(clusterBits: 9, hasSnapshot: false),
                new(clusterBits: 12, isZstd: true), new(clusterBits: 14, hasSubclusters: true),
            ]
           let tables = (int[])
            [0, SmallQcow2.RefcountTable, SmallQcow2.L1, SmallQcow2.SnapshotTable, SmallQcow2.SnapshotL1, SmallQcow2.L2, SmallQcow2.Compressed]
           select new FuzzSeed(
               image.Bytes, [.. tables.Select(t => (t << image.ClusterBits, 128)), (SmallQcow2.RefcountBlock << image.ClusterBits, 32)]),
    ];

    private static FuzzSeed[] VmdkSeeds()
    {
        var sparse = VmdkFile.Sparse(Guest(4 * VmdkFile.GrainLength, VmdkFile.GrainLength), zeroGrains: true);
        var stream = VmdkFile.Stream(Guest(4 * VmdkFile.GrainLength, VmdkFile.GrainLength));
        var tail = 10 * Sector;
        return
        [
            new(sparse, [(0, 80), (Sector, 400), (VmdkFile.SecondDirectory * Sector, Sector + 32), (26 * Sector, Sector + 32)]),
            new(stream, [(0, 80), (Sector, 400), (VmdkFile.Overhead * Sector, 64), (stream.Length - tail, tail)]),
        ];
    }

    private static FuzzSeed[] VhdSeeds()
    {
        var dynamic = VhdFile.Dynamic(Guest(6 * 4096, 4096), blockLength: 4096);
        var fixedLength = VhdFile.Fixed(GuestBytes.Random(8 * Sector));
        return
        [
            new(dynamic, [(0, 88), (Sector, 2 * Sector), (VhdFile.TableOffset, 64), (2048, 16), (dynamic.Length - Sector, Sector)], VhdFile.Repair),
            new(fixedLength, [(fixedLength.Length - Sector, 96)]),
        ];
    }

    private static FuzzSeed[] VdiSeeds() =>
        [new(VdiFile.Dynamic(Guest(5 * VdiFile.BlockLength, VdiFile.BlockLength)), [(0x40, 32), (0x154, 0x74), (VdiFile.MapOffset, 32)])];

    private static FuzzSeed[] VhdxSeeds()
    {
        const int kiB = VhdxFile.KiB;
        var logged = VhdxFile.Dynamic(GuestBytes.Random(MiB));
        var next = VhdxFile.WriteLogEntry(logged, 0, sequence: 5, tail: 0, [new LogChange(VhdxFile.Bat, [.. BitConverter.GetBytes(VhdxFile.Data | VhdxFile.Present), .. new byte[4088]])]);
        (int, int)[] tables = [(VhdxFile.Metadata, 200), (VhdxFile.Metadata + 64 * kiB, 40), (VhdxFile.Bat, 64)];
        (int, int)[] headers = [(64 * kiB, 80), (128 * kiB, 80), (192 * kiB, 80), (256 * kiB, 80)];
        return
        [
            // A log costs ten times the rest, so that it is not in every mutant.
            .. Enumerable.Repeat(new FuzzSeed(VhdxFile.Dynamic(GuestBytes.Random(MiB)), [.. headers, .. tables], VhdxFile.Repair), 7),
            new(logged, [(VhdxFile.Log, 128), (VhdxFile.Log + 4096, 32), (VhdxFile.Log + next - 8, 8), .. headers, .. tables], VhdxFile.Repair),
        ];
    }

    private static FuzzSeed[] OvaSeeds()
    {
        var disk = VmdkFile.Stream(Guest(2 * VmdkFile.GrainLength, VmdkFile.GrainLength));
        return
        [
            .. ((TarEntryFormat[])[TarEntryFormat.Ustar, TarEntryFormat.Gnu, TarEntryFormat.Pax]).Select(f => Seed(OvaFile.Of(disk, f), "KDMV"u8)),
            Seed(OvaFile.Flat("RW 8 FLAT \"flat.vmdk\" 1\nRW 8 ZERO\nRW 2 VMFS \"more flat.vmdk\"", Guest(10 * Sector, Sector)), "# Disk"u8),
        ];

        static FuzzSeed Seed(byte[] archive, ReadOnlySpan<byte> diskStart)
        {
            var start = archive.AsSpan().IndexOf(diskStart);
            return new FuzzSeed(archive, [(0, start), (start, 80), (start + Sector, 300)], mutant => OvaFile.Repair(mutant, archive));
        }
    }

    private static FuzzSeed[] IsoSeeds()
    {
        var medium = new IsoBuilder("fuzz", IsoSample.Noon)
            .AddFile("folder/inner/file", IsoSample.Text("inner"))
            .AddFile(new string('n', 200), IsoSample.Text("long"))
            .AddFile("boot.img", new byte[4096])
            .BootByBios("boot.img")
            .Build().ToArrayAsync(CancellationToken.None).GetAwaiter().GetResult();
        return [new(medium, Written(medium))];
    }

    // Data, nothing, data, and so on: extents and blocks of each kind in as few bytes as can be.
    private static byte[] Guest(int length, int unit)
    {
        var guest = GuestBytes.Random(length);
        for (var at = unit; at < length; at += 2 * unit)
            guest.AsSpan(at, unit).Clear();

        return guest;
    }

    // Where anything is written, with what is close together in one.
    private static (int Start, int Length)[] Written(byte[] image)
    {
        const int gap = 16;
        var ranges = new List<(int Start, int Length)>();
        for (var at = 0; at < image.Length; at++)
        {
            if (image[at] == 0)
                continue;
            if (ranges.Count > 0 && ranges[^1] is var last && at - (last.Start + last.Length) < gap)
                ranges[^1] = (last.Start, at + 1 - last.Start);
            else
                ranges.Add((at, 1));
        }

        return ranges.Count > 0 ? [.. ranges] : [(0, Math.Min(image.Length, Sector))];
    }

    private static Task PassAsync(ReadOnlyMemory<byte> content, ulong number)
    {
        var inspection = new FormatInspector().Begin();
        var cut = (int)(number * 31 % (ulong)(content.Length + 1));
        try
        {
            inspection.Observe(content.Span[..cut]);
            inspection.Observe(content.Span[cut..]);
            var verdict = inspection.Complete();
            Assert.True(verdict.VirtualSize is null or (>= 0 and <= 1L << 60));
        }
        catch (LibraryException refusal) when (refusal is UnsafeContentException or NotAnImageException)
        {
            // A refusal is an answer.
        }

        return Task.CompletedTask;
    }

    private static async Task ReadVolumeAsync(ReadOnlyMemory<byte> medium, ulong number)
    {
        var content = new MemoryContent(medium);
        try
        {
            var volume = await IsoVolume.OpenAsync(content, CancellationToken.None, (IsoNaming)(number % 3));
            await foreach (var entry in volume.ListAsync(CancellationToken.None))
            {
                foreach (var extent in entry.Extents)
                    Assert.True(extent.Start >= 0 && extent.Length > 0 && extent.End <= medium.Length);
                foreach (var part in entry.Path.AsSpan().Split('/'))
                    Assert.False(entry.Path.AsSpan(part) is "..");
            }
        }
        catch (UnsafeContentException)
        {
            // A refusal is an answer.
        }
    }
}
