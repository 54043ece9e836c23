using System.Buffers.Binary;
using Vitrine.Formats;
using Vitrine.Formats.Boot;
using Vitrine.FormatTests.Iso9660;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Boot;

public sealed class BootEvidenceTests : IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-boot-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(100_000)]
    public async Task Nothing_speaks_for_an_empty_disk(int length) => Assert.Equal(new BootEvidence(), await FindAsync(new byte[length]));

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task A_disk_with_an_MBR_needs_code_in_it_for_a_BIOS()
    {
        var disk = await PartitionAsync("label: dos", "type=83, bootable");
        Assert.Equal(new BootEvidence(), await FindAsync(disk));

        var withCode = await FindAsync(WithCode(disk));
        Assert.Equal(new BootEvidence { MbrCode = true }, withCode);
        Assert.Equal((true, false), (withCode.SupportsBios, withCode.SupportsUefi));
    }

    [Fact]
    public async Task Code_without_a_signature_is_none() => Assert.Equal(new BootEvidence(), await FindAsync(WithCode(new byte[MiB])));

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task A_partition_of_the_MBR_may_be_for_UEFI()
    {
        var found = await FindAsync(await PartitionAsync("label: dos", "size=1M, type=ef", "type=83"));
        Assert.Equal(new BootEvidence { EfiSystemPartition = true }, found);
        Assert.Equal((false, true), (found.SupportsBios, found.SupportsUefi));
    }

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task A_disk_with_a_GUID_partition_table_is_for_UEFI_where_it_has_a_system_partition()
    {
        var data = await PartitionAsync("label: gpt", "type=linux");
        Assert.Equal(new BootEvidence { Gpt = true }, await FindAsync(data));

        var system = await FindAsync(await PartitionAsync("label: gpt", "size=1M, type=uefi", "type=linux"));
        Assert.Equal(new BootEvidence { Gpt = true, EfiSystemPartition = true }, system);
        Assert.Equal((false, true), (system.SupportsBios, system.SupportsUefi));
    }

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task Sectors_may_have_4096_bytes()
    {
        var disk = await PartitionAsync("label: gpt", "type=uefi");
        var (header, entries) = (disk[512..1024], disk[1024..(1024 + 128 * 128)]);
        disk.AsSpan(512).Clear();
        Assert.False((await FindAsync(disk)).Gpt);

        SampleImages.Patch(SampleImages.Patch(disk, 4096, header), 2 * 4096, entries);
        Assert.Equal(new BootEvidence { Gpt = true, EfiSystemPartition = true }, await FindAsync(disk));
    }

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task Code_before_a_GUID_partition_table_needs_a_partition_to_go_on_with()
    {
        var found = await FindAsync(WithCode(await PartitionAsync("label: gpt", "type=linux")));
        Assert.Equal(new BootEvidence { Gpt = true, MbrCode = true }, found);
        Assert.False(found.SupportsBios);

        var both = WithCode(await PartitionAsync("label: gpt", "size=1M, type=21686148-6449-6E6F-744E-656564454649", "size=1M, type=uefi"));
        found = await FindAsync(both);
        Assert.Equal((true, true), (found.SupportsBios, found.SupportsUefi));

        found = await FindAsync(WithCode(await PartitionAsync("label: gpt", "type=linux, attrs=LegacyBIOSBootable")));
        Assert.True(found.SupportsBios);
    }

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task The_copy_at_the_end_counts_where_the_first_table_is_damaged()
    {
        var disk = await PartitionAsync("label: gpt", "type=uefi");
        disk[512 + 40] ^= 1;
        Assert.True((await FindAsync(disk)).EfiSystemPartition);

        disk[2 * 512 + 60] ^= 1;
        Assert.True((await FindAsync(disk)).EfiSystemPartition);

        disk[^500] ^= 1;
        Assert.Equal(new BootEvidence(), await FindAsync(disk));
    }

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task A_table_that_no_MBR_protects_is_none()
    {
        var disk = await PartitionAsync("label: gpt", "type=uefi");
        disk.AsSpan(0, 512).Clear();
        Assert.Equal(new BootEvidence(), await FindAsync(disk));
    }

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task A_table_with_endless_entries_is_none()
    {
        var disk = await PartitionAsync("label: gpt", "type=uefi");
        disk.AsSpan(^512..).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(512 + 80), uint.MaxValue);
        Assert.Equal(new BootEvidence(), await FindAsync(disk));
    }

    [Fact]
    public async Task A_disc_speaks_for_what_its_catalogue_has()
    {
        var bios = await FindAsync(await IsoSample.ConfigDrive().AddFile("b", new byte[2048]).BootByBios("b").ToArrayAsync());
        Assert.Equal(new BootEvidence { ElToritoBios = true }, bios);

        var uefi = await FindAsync(await IsoSample.ConfigDrive().AddFile("u", new byte[2048]).BootByUefi("u").ToArrayAsync());
        Assert.Equal(new BootEvidence { ElToritoUefi = true }, uefi);

        var both = await FindAsync(await IsoSample.ConfigDrive().AddFile("a", new byte[2048]).BootByUefi("a").BootByBios("a").ToArrayAsync());
        Assert.Equal((true, true), (both.SupportsBios, both.SupportsUefi));
        Assert.Equal(new BootEvidence(), await FindAsync(await IsoSample.ConfigDrive().ToArrayAsync()));
    }

    [FactWithTool("xorriso")]
    public async Task The_rescue_disc_of_GRUB_is_for_a_BIOS_as_a_disc_and_as_a_stick()
    {
        var found = await FindAsync(await File.ReadAllBytesAsync("/usr/lib/grub-rescue/grub-rescue-cdrom.iso", Stop));
        Assert.True(found is { ElToritoBios: true, MbrCode: true, SupportsBios: true, SupportsUefi: false });
    }

    [FactWithTool("xorriso")]
    public async Task A_hybrid_disc_has_both_a_catalogue_and_partitions()
    {
        var path = Path.Combine(_directory.FullName, "hybrid.iso");
        var tree = _directory.CreateSubdirectory("tree").FullName;
        await File.WriteAllBytesAsync(Path.Combine(tree, "efi.img"), new byte[MiB], Stop);
        await Tool.RunAsync(
            "xorriso",
            ["-as", "mkisofs", "-quiet", "-o", path, "-e", "efi.img", "-no-emul-boot", "-efi-boot-part", "--efi-boot-image", "--protective-msdos-label", tree],
            Stop);
        var found = await FindAsync(await File.ReadAllBytesAsync(path, Stop));
        Assert.Equal(new BootEvidence { ElToritoUefi = true, Gpt = true, EfiSystemPartition = true }, found);
    }

    [FactWithTool("/usr/sbin/sfdisk")]
    public async Task Nonsense_is_no_evidence_and_no_failure()
    {
        var random = new Random(5);
        byte[][] originals =
        [
            (await PartitionAsync("label: gpt", "type=uefi"))[..(64 * 1024)],
            await IsoSample.ConfigDrive().AddFile("a", new byte[2048]).BootByUefi("a").BootByBios("a").ToArrayAsync(),
        ];
        foreach (var original in originals)
        {
            var marks = Enumerable.Range(0, original.Length).Where(i => original[i] != 0).ToArray();
            for (var round = int.TryParse(Environment.GetEnvironmentVariable("VITRINE_FUZZ"), out var rounds) ? rounds : 1000; round > 0; round--)
            {
                var disk = original[..random.Next(original.Length / 2, original.Length)];
                for (var count = random.Next(1, 5); count > 0; count--)
                {
                    if (marks[random.Next(marks.Length)] is var at && at < disk.Length)
                        disk[at] = (byte)random.Next(256);
                }

                await FindAsync(disk);
            }
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<BootEvidence> FindAsync(byte[] bytes)
    {
        await using var disk = await new DiskFormats().OpenAsync(new MemoryContent(bytes), DiskFormat.Raw, Stop);
        return await BootEvidence.FindAsync(disk, Stop);
    }

    private static byte[] WithCode(byte[] disk) => SampleImages.Patch([.. disk], 0, [0xfa, 0x31, 0xc0]);

    private async Task<byte[]> PartitionAsync(params string[] script)
    {
        var (disk, commands) = (Path.Combine(_directory.FullName, "disk"), Path.Combine(_directory.FullName, "script"));
        await File.WriteAllBytesAsync(disk, new byte[8 * MiB], Stop);
        await File.WriteAllLinesAsync(commands, script, Stop);
        await Tool.RunAsync("sh", ["-c", $"/usr/sbin/sfdisk --quiet {disk} <{commands}"], Stop);
        return await File.ReadAllBytesAsync(disk, Stop);
    }
}
