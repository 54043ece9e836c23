using System.Text.Json;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.FormatTests.Inspection;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Conversion;

/// <summary>What is written is right in the eyes of QEMU, and the same whichever way it is asked for.</summary>
public sealed class DiskConversionTests : IDisposable
{
    private const long TwoTiB = 2L << 40;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-conversion-");

    public static TheoryData<ConversionCase> Cases => ConversionCase.All;

    public static TheoryData<string> Targets => ConversionCase.AllTargets;

    public void Dispose() => _directory.Delete(recursive: true);

    [TheoryWithTool("qemu-img"), MemberData(nameof(Cases))]
    public async Task QEMU_finds_the_same_disk_in_it(ConversionCase cell)
    {
        await cell.WriteDiskAsync(Source, Stop);
        await WriteAsync(cell.Conversion, Result);
        await CheckWithQemuAsync(cell);
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task All_ways_give_the_same_bytes(ConversionCase cell)
    {
        await cell.WriteDiskAsync(Source, Stop);
        var expected = await WriteAsync(cell.Conversion, Result);
        Assert.Equal(expected, await WriteAsync(cell.Conversion, Result + ".again"));

        await using var conversion = await BeginAsync(cell.Conversion);
        using var copy = new MemoryStream();
        await conversion.CopyToAsync(copy, Stop);
        Assert.Equal(expected, copy.ToArray());

        if (await conversion.LayOutAsync(Stop) is { } content)
            await CheckRangesAsync(content, expected);
        else
            Assert.Equal(DiskFormat.Vmdk, cell.Conversion.Format);
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task The_inspection_and_the_readers_take_it_for_what_it_is(ConversionCase cell)
    {
        await cell.WriteDiskAsync(Source, Stop);
        var content = await WriteAsync(cell.Conversion, Result);
        Assert.Equal(
            new FormatVerdict(cell.Conversion.Format, cell.Conversion.Format == DiskFormat.Raw ? null : cell.LengthInTarget),
            Judgement.Of(content).Verdict);
        if (!new DiskFormats().CanOpen(cell.Conversion.Format))
            return;

        await using var disk = await new DiskFormats().OpenAsync(new FileContent(Result), cell.Conversion.Format, Stop);
        byte[] padded = [.. cell.MakeDisk(), .. new byte[cell.LengthInTarget - cell.Length]];
        await DiskContract.HoldAsync(disk, padded, Stop);
    }

    [TheoryWithTool("qemu-img"), MemberData(nameof(Targets))]
    public async Task A_disk_of_two_TiB_that_is_nearly_empty_takes_little_room(string target)
    {
        // VHD ends a little earlier.
        var format = QemuFormatOf(ConversionCase.For(target));
        var length = format == "vpc" ? 2040L << 30 : TwoTiB;
        var marks = new[] { 0, 513L << 20, 1L << 40, length - 4 };
        await using (var file = File.Create(Source))
        {
            foreach (var mark in marks)
            {
                file.Position = mark;
                file.Write("data"u8);
            }
        }

        await using (var conversion = await BeginAsync(ConversionCase.For(target)))
        {
            using var handle = File.OpenHandle(Result, FileMode.CreateNew, FileAccess.ReadWrite);
            await conversion.WriteFileAsync(handle, progress: null, Stop);
        }

        var info = await ReadInfoAsync(format, Result);
        Assert.Equal(length, info.GetProperty("virtual-size").GetInt64());
        Assert.InRange(info.GetProperty("actual-size").GetInt64(), 1, 5 * 1024 * 1024);

        // QEMU reads the whole of what it cannot look for holes in, which nobody waits for.
        const int Window = 1024 * 1024;
        foreach (var start in marks.Select(m => Math.Min(m, length - Window)))
            await CompareWindowAsync(format, start, Window);
    }

    [Theory, MemberData(nameof(Targets))]
    public async Task Zeros_are_holes(string target)
    {
        await new ConversionCase(target, 64 * 1024 * 1024, "last byte").WriteDiskAsync(Source, Stop);
        await WriteAsync(ConversionCase.For(target), Result);
        await using var disk = await new DiskFormats().OpenAsync(new FileContent(Result), DiskFormat.Raw, Stop);
        var data = await disk.ListExtentsAsync(0, disk.Length, Stop).Where(e => e.Kind == ExtentKind.Data).Select(e => e.Length).SumAsync(Stop);
        Assert.InRange(data, 1, 512 * 1024);
    }

    [Theory, MemberData(nameof(Targets))]
    public async Task Extents_of_any_shape_give_what_one_extent_gives(string target)
    {
        var cell = new ConversionCase(target, 3_000_001, "alternating");
        await cell.WriteDiskAsync(Source, Stop);
        var expected = await WriteAsync(cell.Conversion, Result);

        await using var conversion = await new DiskFormats().ConvertAsync(new ShreddedDisk(cell.MakeDisk()), cell.Conversion, Stop);
        Assert.Equal(expected, await WriteAsync(conversion, Result + ".again"));
    }

    [Theory, MemberData(nameof(Targets))]
    public async Task Progress_ends_at_the_length_of_the_disk(string target)
    {
        var cell = new ConversionCase(target, 3_000_001, "data");
        await cell.WriteDiskAsync(Source, Stop);
        var progress = new Record();
        await using var conversion = await BeginAsync(cell.Conversion);
        using var handle = File.OpenHandle(Result, FileMode.CreateNew, FileAccess.ReadWrite);
        await conversion.WriteFileAsync(handle, progress, Stop);

        Assert.Equal(progress.Values.Order(), progress.Values);
        Assert.Equal(cell.Length, progress.Values[^1]);
    }

    [Theory, MemberData(nameof(Targets))]
    public async Task Damage_in_the_source_ends_it_with_the_reason(string target)
    {
        var disk = new ShreddedDisk(new ConversionCase(target, 9_000_000, "data").MakeDisk()) { DamagedFrom = 4_000_000 };
        await using var conversion = await new DiskFormats().ConvertAsync(disk, ConversionCase.For(target), Stop);
        var refusal = await Assert.ThrowsAsync<UnsafeContentException>(() => WriteAsync(conversion, Result));
        Assert.Equal("test-damage", refusal.Feature);
        Assert.Equal("test-damage", (await Assert.ThrowsAsync<UnsafeContentException>(() => conversion.CopyToAsync(Stream.Null, Stop))).Feature);
    }

    [Theory, MemberData(nameof(Targets))]
    public async Task A_caller_that_goes_away_ends_it(string target)
    {
        using var stop = new CancellationTokenSource();
        var disk = new ShreddedDisk(new ConversionCase(target, 9_000_000, "data").MakeDisk()) { AtOffset = (4_000_000, stop.Cancel) };
        await using var conversion = await new DiskFormats().ConvertAsync(disk, ConversionCase.For(target), Stop);
        using var handle = File.OpenHandle(Result, FileMode.CreateNew, FileAccess.ReadWrite);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => conversion.WriteFileAsync(handle, progress: null, stop.Token));
    }

    [Theory]
    [InlineData(DiskFormat.Vdi, null, 512)]
    [InlineData(DiskFormat.Iso, null, 512)]
    [InlineData(DiskFormat.Vhd, "differencing", 512)]
    [InlineData(DiskFormat.Vmdk, "monolithicFlat", 512)]
    [InlineData(DiskFormat.Vhd, null, (2040L << 30) + 1)]
    [InlineData(DiskFormat.Vhd, "fixed", (2040L << 30) + 1)]
    [InlineData(DiskFormat.Vhdx, null, (64L << 40) + 1)]
    [InlineData(DiskFormat.Qcow2, null, (64L << 40) + 1)]
    [InlineData(DiskFormat.Vhdx, null, 0)]
    public async Task What_is_not_written_is_refused_and_the_disk_closed(DiskFormat format, string? variant, long length)
    {
        var disk = new EmptyDisk(length);
        await Assert.ThrowsAsync<FormatNotSupportedException>(() => new DiskFormats().ConvertAsync(disk, new(format, variant), Stop));
        Assert.True(disk.IsClosed);
    }

    [Theory]
    [InlineData(DiskFormat.Raw)]
    [InlineData(DiskFormat.Vmdk)]
    [InlineData(DiskFormat.Vhd)]
    [InlineData(DiskFormat.Vhdx)]
    public async Task Compression_is_not_passed_over_where_there_is_none_to_choose(DiskFormat format)
    {
        var disk = new EmptyDisk(512);
        var refusal = await Assert.ThrowsAsync<InvalidFieldException>(() => new DiskFormats().ConvertAsync(disk, new(format, Compress: true), Stop));
        Assert.Equal("compress", refusal.Field);
        Assert.True(disk.IsClosed);
    }

    [Fact]
    public async Task Different_disks_have_different_ids()
    {
        var target = new ConversionTarget(DiskFormat.Vhd);
        await new ConversionCase("vhd", 1_000_000, "data").WriteDiskAsync(Source, Stop);
        var one = await WriteAsync(target, Result);
        await new ConversionCase("vhd", 1_000_000, "text").WriteDiskAsync(Source, Stop);
        var other = await WriteAsync(target, Result + ".other");

        Assert.NotEqual(one[^512..].AsSpan(68, 16).ToArray(), other[^512..].AsSpan(68, 16).ToArray());
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Source => Path.Combine(_directory.FullName, "source.img");

    private string Result => Path.Combine(_directory.FullName, "result.img");

    private async Task<DiskConversion> BeginAsync(ConversionTarget target)
    {
        var formats = new DiskFormats(_directory.FullName);
        return await formats.ConvertAsync(await formats.OpenAsync(new FileContent(Source), DiskFormat.Raw, Stop), target, Stop);
    }

    private async Task<byte[]> WriteAsync(ConversionTarget target, string path)
    {
        await using var conversion = await BeginAsync(target);
        return await WriteAsync(conversion, path);
    }

    private static async Task<byte[]> WriteAsync(DiskConversion conversion, string path)
    {
        using (var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite))
            await conversion.WriteFileAsync(handle, progress: null, Stop);

        return await File.ReadAllBytesAsync(path, Stop);
    }

    private static async Task CheckRangesAsync(ContentReader content, byte[] expected)
    {
        Assert.Equal(expected.Length, content.Length);
        var random = new Random(3);
        for (var round = 0; round < 40; round++)
        {
            var start = random.Next(expected.Length);
            var bytes = new byte[Math.Min(expected.Length - start, random.Next(1, round % 2 == 0 ? 700 : 300_000))];
            var read = await content.ReadAsync(start, bytes, Stop);
            Assert.InRange(read, 1, bytes.Length);
            Assert.True(expected.AsSpan(start, read).SequenceEqual(bytes.AsSpan(0, read)), $"the bytes from {start}, {read} of them, differ");
        }

        Assert.Equal(0, await content.ReadAsync(expected.Length, new byte[1], Stop));
    }

    private async Task CheckWithQemuAsync(ConversionCase cell)
    {
        // QEMU cannot look at part of a sector, and takes a raw disk for longer by what is missing.
        var format = QemuFormatOf(cell.Conversion);
        var info = await ReadInfoAsync(format, Result);
        Assert.Equal((cell.LengthInTarget + 511) / 512 * 512, info.GetProperty("virtual-size").GetInt64());

        await Tool.RunAsync("qemu-img", ["compare", "-f", "raw", "-F", format, Source, Result], Stop);
        if (format is "qcow2" or "vmdk" or "vhdx")
            await Tool.RunAsync("qemu-img", ["check", "-f", format, Result], Stop);
    }

    private Task CompareWindowAsync(string format, long start, long length)
    {
        var window = $"driver=raw,offset={start},size={length}";
        return Tool.RunAsync(
            "qemu-img",
            [
                "compare", "--image-opts",
                $"{window},file.driver=file,file.filename={Source}",
                $"{window},file.driver={format},file.file.driver=file,file.file.filename={Result}",
            ],
            Stop);
    }

    private static string QemuFormatOf(ConversionTarget target) => target.Format == DiskFormat.Vhd ? "vpc" : target.Format.Word();

    private static async Task<JsonElement> ReadInfoAsync(string format, string path) =>
        JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["info", "--output=json", "-f", format, path], Stop)).RootElement;

    private sealed class Record : IProgress<long>
    {
        public List<long> Values { get; } = [];

        public void Report(long value) => Values.Add(value);
    }
}
