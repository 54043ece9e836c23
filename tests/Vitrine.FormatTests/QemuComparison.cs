using System.Text.Json;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests;

/// <summary>Makes images by qemu-img of one guest's disk after another, and holds what we see in them against what qemu-img sees.</summary>
internal sealed class QemuComparison : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-qemu-");

    /// <summary>From a byte to some MiB, with odd ends and with the ends of blocks of all sizes.</summary>
    public static int[] Lengths { get; } =
        [1, 512, 1000, 4096, 65_536, 66_048, 1_000_001, 1_048_576, 1_049_088, 2_096_640, 3_000_320, 5_244_416, 17_000_000];

    public void Dispose() => _directory.Delete(recursive: true);

    public async Task CompareAsync(string qemuFormat, string options, DiskFormat format, QemuMap meaning, CancellationToken cancellationToken) =>
        await Parallel.ForEachAsync(Lengths, cancellationToken, async (length, stop) =>
        {
            var raw = Path.Combine(_directory.FullName, $"{length}.raw");
            var image = Path.Combine(_directory.FullName, $"{length}.img");
            var guest = GuestBytes.Sparse(length);
            await File.WriteAllBytesAsync(raw, guest, stop);
            await ConvertAsync(raw, image, qemuFormat, options, stop);

            var map = await MapAsync(image, qemuFormat, stop);
            await using var disk = await new DiskFormats().OpenAsync(new FileContent(image), format, stop);
            var expected = new byte[map[^1].End];
            guest.CopyTo(expected.AsSpan());
            await DiskContract.HoldAsync(disk, expected, stop);
            await CompareMapAsync(disk, map, meaning, stop);
        });

    /// <summary>A disk of very many blocks, of which three have data.</summary>
    public async Task CompareHugeAsync(string qemuFormat, string options, DiskFormat format, long length, CancellationToken cancellationToken)
    {
        var raw = Path.Combine(_directory.FullName, "huge.raw");
        var image = Path.Combine(_directory.FullName, "huge.img");
        var data = GuestBytes.Random(100_000);
        long[] places = [0, length / 2 + 12_345, length - data.Length];
        await using (var file = File.Create(raw))
        {
            file.SetLength(length);
            foreach (var place in places)
                RandomAccess.Write(file.SafeFileHandle, data, place);
        }

        await ConvertAsync(raw, image, qemuFormat, options, cancellationToken);
        await using var disk = await new DiskFormats().OpenAsync(new FileContent(image), format, cancellationToken);
        Assert.Equal(length, disk.Length);
        var buffer = new byte[data.Length];
        foreach (var place in places)
        {
            await disk.ReadAsync(place, buffer, cancellationToken);
            Assert.True(buffer.AsSpan().SequenceEqual(data));
        }

        await disk.ReadAsync(length / 4, buffer, cancellationToken);
        Assert.False(buffer.AsSpan().ContainsAnyExcept((byte)0));
        await disk.CheckAsync(cancellationToken);

        // qemu-img itself takes a minute for such a map. A block of the three has 64 MiB at most.
        var extents = await ListDataAsync(disk, cancellationToken);
        Assert.Equal(3, extents.Count);
        Assert.All(extents, e => Assert.True(e.Length <= 128 << 20));
        Assert.All(places, p => Assert.Contains(extents, e => e.Start <= p && e.End >= p + data.Length));
    }

    private static async Task CompareMapAsync(Disk disk, List<Extent> map, QemuMap meaning, CancellationToken cancellationToken)
    {
        var ours = await ListDataAsync(disk, cancellationToken);
        var theirs = map.Where(e => e.Kind is ExtentKind.Data).ToList();
        if (meaning is QemuMap.Blocks)
            Assert.Equal(theirs, ours);
        else if (meaning is QemuMap.Holes)
            Assert.All(theirs, t => Assert.Contains(ours, o => o.Start <= t.Start && o.End >= t.End));
    }

    private static async Task<List<Extent>> ListDataAsync(Disk disk, CancellationToken cancellationToken)
    {
        var data = new List<Extent>();
        await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, cancellationToken))
        {
            if (extent.Kind is ExtentKind.Data)
                data.Add(extent);
        }

        return data;
    }

    private static Task<string> ConvertAsync(string raw, string image, string format, string options, CancellationToken cancellationToken) =>
        Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", format, "-o", options, raw, image], cancellationToken);

    /// <summary>What is data and what is not, neighbours of one kind together.</summary>
    private static async Task<List<Extent>> MapAsync(string image, string format, CancellationToken cancellationToken)
    {
        using var parts = JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["map", "--output=json", "-f", format, image], cancellationToken));
        var map = new List<Extent>();
        foreach (var part in parts.RootElement.EnumerateArray())
        {
            var isData = part.GetProperty("data").GetBoolean() && !part.GetProperty("zero").GetBoolean();
            var kind = isData ? ExtentKind.Data : ExtentKind.Absent;
            var length = part.GetProperty("length").GetInt64();
            if (map.Count > 0 && map[^1].Kind == kind)
                map[^1] = map[^1] with { Length = map[^1].Length + length };
            else
                map.Add(new Extent(part.GetProperty("start").GetInt64(), length, kind));
        }

        return map;
    }
}

/// <summary>What qemu-img's map says of a format.</summary>
public enum QemuMap
{
    /// <summary>Which blocks are there, as ours does.</summary>
    Blocks,

    /// <summary>Where the image file itself has holes, which we do not look for.</summary>
    Holes,

    /// <summary>That all is data: it never asks the format.</summary>
    Nothing,
}
