using System.Text.Json;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Inspection;

/// <summary>Images as the field's own tools write them.</summary>
public sealed class FormatInspectorAndToolsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-formats-");

    public void Dispose() => _directory.Delete(recursive: true);

    [TheoryWithTool("qemu-img")]
    [InlineData("qcow2", "compat=0.10", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1,cluster_size=512", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1,cluster_size=2M", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1,compression_type=zstd", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1,extended_l2=on", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1,lazy_refcounts=on", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1,refcount_bits=1", DiskFormat.Qcow2)]
    [InlineData("qcow2", "compat=1.1,preallocation=metadata", DiskFormat.Qcow2)]
    [InlineData("vmdk", "subformat=monolithicSparse", DiskFormat.Vmdk)]
    [InlineData("vmdk", "subformat=streamOptimized", DiskFormat.Vmdk)]
    [InlineData("vmdk", "subformat=monolithicSparse,zeroed_grain=on", DiskFormat.Vmdk)]
    [InlineData("vpc", "subformat=dynamic", DiskFormat.Vhd)]
    [InlineData("vpc", "subformat=dynamic,force_size=on", DiskFormat.Vhd)]
    [InlineData("vpc", "subformat=fixed", DiskFormat.Vhd)]
    [InlineData("vpc", "subformat=fixed,force_size=on", DiskFormat.Vhd)]
    [InlineData("vhdx", "subformat=dynamic", DiskFormat.Vhdx)]
    [InlineData("vhdx", "subformat=fixed", DiskFormat.Vhdx)]
    [InlineData("vdi", "static=off", DiskFormat.Vdi)]
    [InlineData("vdi", "static=on", DiskFormat.Vdi)]
    [InlineData("parallels", "cluster_size=1M", DiskFormat.Ploop)]
    public async Task The_size_is_the_one_that_qemu_reads(string format, string options, DiskFormat expected)
    {
        foreach (var size in new[] { 1_048_576, 41_943_040, 536_870_912 })
        {
            var path = Path.Combine(_directory.FullName, $"{size}.img");
            await Tool.RunAsync("qemu-img", ["create", "-q", "-f", format, "-o", options, path, $"{size}"], Stop);

            Assert.Equal(new FormatVerdict(expected, await VirtualSizeAsync(path, format)), await InspectAsync(path));
        }
    }

    [TheoryWithTool("qemu-img")]
    [InlineData("qcow2", "", DiskFormat.Qcow2)]
    [InlineData("qcow2", "-c", DiskFormat.Qcow2)]
    [InlineData("vmdk", "-osubformat=streamOptimized", DiskFormat.Vmdk)]
    [InlineData("vmdk", "", DiskFormat.Vmdk)]
    [InlineData("vpc", "", DiskFormat.Vhd)]
    [InlineData("vhdx", "", DiskFormat.Vhdx)]
    [InlineData("vdi", "", DiskFormat.Vdi)]
    public async Task An_image_with_content_is_recognised(string format, string option, DiskFormat expected)
    {
        var raw = Path.Combine(_directory.FullName, "raw.img");
        var bytes = new byte[5 * 1024 * 1024];
        new Random(3).NextBytes(bytes);
        await File.WriteAllBytesAsync(raw, bytes, Stop);
        Assert.Equal(new FormatVerdict(DiskFormat.Raw, null), await InspectAsync(raw));

        var path = Path.Combine(_directory.FullName, "converted.img");
        await Tool.RunAsync("qemu-img", ["convert", .. option.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-f", "raw", "-O", format, raw, path], Stop);
        Assert.Equal(new FormatVerdict(expected, await VirtualSizeAsync(path, format)), await InspectAsync(path));
    }

    [TheoryWithTool("qemu-img")]
    [InlineData("qcow2", "backing_file=/dev/null,backing_fmt=raw", "qcow2-backing-file")]
    [InlineData("qcow2", "data_file=side.raw,data_file_raw=on", "qcow2-data-file")]
    [InlineData("vmdk", "subformat=monolithicFlat", "vmdk-foreign-extent")]
    [InlineData("vmdk", "subformat=twoGbMaxExtentSparse", "vmdk-foreign-extent")]
    [InlineData("qed", "cluster_size=64K", "unsupported-format")]
    public async Task What_points_outside_itself_is_refused(string format, string options, string feature)
    {
        var path = Path.Combine(_directory.FullName, "hostile.img");
        var inside = options.Replace("side.raw", Path.Combine(_directory.FullName, "side.raw"), StringComparison.Ordinal);
        await Tool.RunAsync("qemu-img", ["create", "-q", "-f", format, "-o", inside, path, "1M"], Stop);

        Assert.Equal(feature, (await Assert.ThrowsAsync<UnsafeContentException>(() => InspectAsync(path))).Feature);
    }

    [FactWithTool("qemu-img")]
    public async Task What_qemu_takes_for_a_sample_is_what_we_take_it_for()
    {
        // The samples are ours; that qemu can open them shows that the tests are not about formats of our own making.
        foreach (var (format, image) in SampleImages.Valid.Where(i => QemuName(i.Format) is not null).Select(i => (QemuName(i.Format)!, i)))
        {
            var path = Path.Combine(_directory.FullName, image.Name);
            await File.WriteAllBytesAsync(path, image.Bytes, Stop);
            Assert.Equal(image.VirtualSize, await VirtualSizeAsync(path, format));
        }
    }

    [FactWithTool("xorriso")]
    public async Task A_disc_made_by_xorriso_is_an_ISO()
    {
        var path = Path.Combine(_directory.FullName, "disc.iso");
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "file"), "content", Stop);
        await Tool.RunAsync("xorriso", ["-as", "mkisofs", "-quiet", "-V", "config-2", "-o", path, "-J", "-R", Path.Combine(_directory.FullName, "file")], Stop);

        Assert.Equal(new FormatVerdict(DiskFormat.Iso, null, "config-2"), await InspectAsync(path));
    }

    [FactWithTool("xorriso")]
    public async Task A_disc_that_boots_from_a_stick_too_is_an_ISO()
    {
        var path = Path.Combine(_directory.FullName, "hybrid.iso");
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "file"), "content", Stop);
        await Tool.RunAsync("xorriso", ["-as", "mkisofs", "-quiet", "-V", "A label of thirty-two characters", "-o", path, "-J", "-partition_offset", "16", Path.Combine(_directory.FullName, "file")], Stop);

        Assert.Equal(new FormatVerdict(DiskFormat.Iso, null, "A label of thirty-two characters"), await InspectAsync(path));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string? QemuName(DiskFormat format) => format switch
    {
        DiskFormat.Qcow2 => "qcow2",
        DiskFormat.Vmdk => "vmdk",
        DiskFormat.Vhdx => "vhdx",
        DiskFormat.Vdi => "vdi",
        DiskFormat.Ploop => "parallels",
        _ => null,
    };

    private static async Task<FormatVerdict> InspectAsync(string path)
    {
        var inspection = new FormatInspector().Begin();
        await using var file = File.OpenRead(path);
        var buffer = new byte[100_000];
        while (await file.ReadAsync(buffer, Stop) is > 0 and var count)
            inspection.Observe(buffer.AsSpan(0, count));

        var verdict = inspection.Complete();
        await using var content = new FileContent(path);
        Assert.Equal(verdict, await FormatInspector.InspectAsync(content, Stop));
        return verdict;
    }

    private static async Task<long> VirtualSizeAsync(string path, string format)
    {
        using var facts = JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["info", "--output=json", "-f", format, path], Stop));
        return facts.RootElement.GetProperty("virtual-size").GetInt64();
    }
}
