using System.Collections.Concurrent;
using System.Text.Json;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Formats.Qcow2;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Qcow2;

/// <summary>Images as qemu-img and qemu-io make them, in every kind that they know: bytes, map and facts are those that QEMU gives.</summary>
public sealed class Qcow2MatrixTests : IDisposable
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;
    private const long TiB = 1L << 40;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-qcow2-");

    public void Dispose() => _directory.Delete(recursive: true);

    [FactWithTool("qemu-img")]
    public async Task Plain_images()
    {
        string[] kinds =
        [
            "compat=0.10,cluster_size=512",  "compat=0.10,cluster_size=4k",  "compat=0.10",                  "compat=0.10,cluster_size=2M",
            "cluster_size=512",              "cluster_size=1k",              "cluster_size=4k",              "cluster_size=16k",
            "cluster_size=64k",              "cluster_size=256k",            "cluster_size=2M",              "lazy_refcounts=on",
            "extended_l2=on",                "extended_l2=on,cluster_size=16k", "extended_l2=on,cluster_size=2M", "refcount_bits=1",
            "refcount_bits=8",               "refcount_bits=64",
        ];
        int[] sizes = [1, 513, 65_536 + 512, 2 * MiB + 1];
        await HoldAllAsync(
            from kind in kinds
            from size in sizes
            select new Cell($"plain {kind} {size}", async path => await ConvertAsync(path, Bytes(size), "-o", kind)));
    }

    [FactWithTool("qemu-img")]
    public async Task Compressed_images()
    {
        string[] kinds =
        [
            "compat=0.10",                    "compat=0.10,cluster_size=512",     "cluster_size=512",               "cluster_size=4k",
            "cluster_size=64k",               "cluster_size=2M",                  "extended_l2=on",                 "refcount_bits=1",
            "refcount_bits=64",               "compression_type=zstd,cluster_size=512", "compression_type=zstd,cluster_size=4k", "compression_type=zstd",
            "compression_type=zstd,cluster_size=2M", "compression_type=zstd,extended_l2=on", "compression_type=zstd,refcount_bits=2",
        ];
        int[] sizes = [1, 65_536 + 512, 2 * MiB + 1];
        await HoldAllAsync(
            from kind in kinds
            from size in sizes
            select new Cell($"compressed {kind} {size}", async path => await ConvertAsync(path, Bytes(size), "-c", "-W", "-o", kind)));
    }

    [FactWithTool("qemu-io")]
    public async Task Written_images()
    {
        string[] kinds =
        [
            "compat=0.10",  "compat=0.10,cluster_size=512", "cluster_size=512", "cluster_size=4k", "cluster_size=64k", "cluster_size=2M",
            "lazy_refcounts=on", "extended_l2=on", "extended_l2=on,cluster_size=16k", "compression_type=zstd", "refcount_bits=1", "refcount_bits=32",
            "preallocation=metadata", "preallocation=falloc", "preallocation=full", "preallocation=metadata,extended_l2=on",
            "preallocation=metadata,cluster_size=512", "preallocation=metadata,compat=0.10",
        ];
        int[] sizes = [512, MiB, 5 * MiB + 1536];
        await HoldAllAsync(
            from kind in kinds
            from size in sizes
            select new Cell($"written {kind} {size}", async path =>
            {
                await CreateAsync(path, kind, size);
                return await WriteAsync(path, new byte[size], seed: size, mayCompress: MayCompress(kind));
            }));
    }

    [FactWithTool("qemu-io")]
    public async Task Images_that_were_resized()
    {
        string[] kinds = ["compat=0.10", "cluster_size=512", "cluster_size=64k", "extended_l2=on", "preallocation=metadata"];
        await HoldAllAsync(
            from kind in kinds
            from size in new[] { 512, 700 * KiB, 9 * MiB }
            select new Cell($"resized {kind} {size}", async path =>
            {
                await CreateAsync(path, kind, 2 * MiB);
                var bytes = await WriteAsync(path, new byte[2 * MiB], seed: 1, mayCompress: MayCompress(kind));
                await Tool.RunAsync("qemu-img", ["resize", "-q", "--shrink", "-f", "qcow2", path, $"{size}"], Stop);
                Array.Resize(ref bytes, size);
                return await WriteAsync(path, bytes, seed: 2, mayCompress: false);
            }));
    }

    [FactWithTool("qemu-io")]
    public async Task Images_with_snapshots()
    {
        string[] kinds =
        [
            "compat=0.10", "cluster_size=512", "cluster_size=64k", "cluster_size=2M", "extended_l2=on", "lazy_refcounts=on",
            "compression_type=zstd", "refcount_bits=8", "preallocation=metadata",
        ];
        await Parallel.ForEachAsync(kinds, Stop, async (kind, _) =>
        {
            var path = NewPath();
            await CreateAsync(path, kind, 3 * MiB);
            var states = new List<byte[]> { await WriteAsync(path, new byte[3 * MiB], seed: 3, MayCompress(kind)) };
            foreach (var name in new[] { "first", "zwei ÄÖ", "third" })
            {
                await Tool.RunAsync("qemu-img", ["snapshot", "-c", name, path], Stop);
                states.Add(await WriteAsync(path, states[^1].ToArray(), seed: states.Count, mayCompress: false));
            }

            await Tool.RunAsync("qemu-img", ["snapshot", "-d", "first", path], Stop);
            await HoldAsync(path, states[^1]);
            await HoldSnapshotsAsync(path, states.Skip(1));
        });
    }

    [FactWithTool("qemu-io")]
    public async Task Images_of_2_TiB_with_little_in_them()
    {
        string[] kinds = ["cluster_size=4k", "cluster_size=64k", "cluster_size=2M", "compat=0.10", "extended_l2=on", "compression_type=zstd"];
        long[] places = [0, 1_000_000_000_000 / 512 * 512, TiB + 3 * MiB, 2 * TiB - 64 * KiB];
        await Parallel.ForEachAsync(kinds, Stop, async (kind, _) =>
        {
            var path = NewPath();
            await CreateAsync(path, kind, 2 * TiB);
            await Tool.RunAsync("qemu-io", ["-f", "qcow2", .. places.SelectMany((at, i) => new[] { "-c", $"write -q -P {i + 1} {at} 64k" }), path], Stop);

            await using var disk = await Qcow2Disk.OpenAsync(new FileContent(path), Stop);
            await disk.CheckAsync(Stop);
            Assert.Equal(await MapAsync(path), await disk.ListExtentsAsync(0, disk.Length, Stop).ToListAsync(Stop));
            foreach (var (at, i) in places.Select((at, i) => (at, i)))
            {
                var bytes = new byte[64 * KiB];
                await disk.ReadAsync(at, bytes, Stop);
                Assert.False(bytes.AsSpan().ContainsAnyExcept((byte)(i + 1)), kind);
            }
        });
    }

    [FactWithTool("qemu-io")]
    public async Task Images_whose_writer_crashed()
    {
        string[] kinds = ["lazy_refcounts=on", "lazy_refcounts=on,cluster_size=512", "lazy_refcounts=on,extended_l2=on", "lazy_refcounts=on,compression_type=zstd"];
        await Parallel.ForEachAsync(kinds, Stop, async (kind, _) =>
        {
            var path = NewPath();
            await CreateAsync(path, kind, 3 * MiB);
            var bytes = await WriteAsync(path, new byte[3 * MiB], seed: 5, mayCompress: true);
            bytes.AsSpan(MiB, 200 * KiB).Fill(0x77);
            await Assert.ThrowsAsync<InvalidOperationException>(() => Tool.RunAsync(
                "qemu-io", ["-f", "qcow2", "-c", $"write -q -P 0x77 {MiB} 200k", "-c", "flush", "-c", "sigraise 9", path], Stop));

            await using var disk = await Qcow2Disk.OpenAsync(new FileContent(path), Stop);
            Assert.True(disk.Header.IsDirty);
            await DiskContract.HoldAsync(disk, bytes, Stop);
        });
    }

    [FactWithTool("qemu-io")]
    public async Task Images_that_are_cut_short_anywhere_are_refused()
    {
        var path = NewPath();
        await CreateAsync(path, "cluster_size=4k", MiB);
        await WriteAsync(path, new byte[MiB], seed: 6, mayCompress: true);
        await Tool.RunAsync("qemu-img", ["snapshot", "-c", "one", path], Stop);
        await WriteAsync(path, new byte[MiB], seed: 7, mayCompress: false);
        var bytes = await File.ReadAllBytesAsync(path, Stop);
        for (var length = 0; length < bytes.Length; length += 512)
        {
            var refusal = await Assert.ThrowsAsync<Content.UnsafeContentException>(async () =>
            {
                await using var disk = await Qcow2Disk.OpenAsync(new MemoryContent(bytes.AsMemory(0, length)), Stop);
                await disk.CheckAsync(Stop);
            });
            Assert.Equal("truncated", refusal.Feature);
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task HoldAllAsync(IEnumerable<Cell> cells)
    {
        var failures = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(cells, Stop, async (cell, _) =>
        {
            try
            {
                var path = NewPath();
                await HoldAsync(path, await cell.MakeAsync(path));
                File.Delete(path);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                failures.Enqueue($"{cell.Name}: {failure}");
            }
        });
        Assert.Empty(failures);
    }

    private static async Task HoldAsync(string path, byte[] expected)
    {
        await using var disk = await Qcow2Disk.OpenAsync(new FileContent(path), Stop);
        await DiskContract.HoldAsync(disk, expected, Stop);
        Assert.Equal(await MapAsync(path), await disk.ListExtentsAsync(0, disk.Length, Stop).ToListAsync(Stop));
    }

    private static async Task HoldSnapshotsAsync(string path, IEnumerable<byte[]> states)
    {
        using var facts = JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["info", "--output=json", "-f", "qcow2", path], Stop));
        await using var disk = await Qcow2Disk.OpenAsync(new FileContent(path), Stop);
        Assert.Equal(disk.Length, facts.RootElement.GetProperty("virtual-size").GetInt64());

        var snapshots = await disk.ListSnapshotsAsync(Stop).ToListAsync(Stop);
        Assert.Equal(
            facts.RootElement.GetProperty("snapshots").EnumerateArray().Select(s => (
                s.GetProperty("id").GetString(), s.GetProperty("name").GetString(), s.GetProperty("date-sec").GetInt64(), s.GetProperty("vm-state-size").GetInt64())),
            snapshots.Select(s => ((string?)s.Id, (string?)s.Name, s.Date.ToUnixTimeSeconds(), s.VmStateLength)));

        foreach (var (snapshot, state) in snapshots.Zip(states))
            await DiskContract.HoldAsync(disk.OpenSnapshot(snapshot), state, Stop);
    }

    /// <summary>What qemu-img says of the disk, in our words.</summary>
    private static async Task<List<Extent>> MapAsync(string path)
    {
        using var map = JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["map", "--output=json", "-f", "qcow2", path], Stop));
        var extents = new List<Extent>();
        foreach (var part in map.RootElement.EnumerateArray())
        {
            var kind = part.GetProperty("data").GetBoolean() ? ExtentKind.Data
                : part.GetProperty("present").GetBoolean() ? ExtentKind.Zero : ExtentKind.Absent;
            var length = part.GetProperty("length").GetInt64();
            if (extents.Count > 0 && extents[^1].Kind == kind)
                extents[^1] = extents[^1] with { Length = extents[^1].Length + length };
            else
                extents.Add(new Extent(part.GetProperty("start").GetInt64(), length, kind));
        }

        return extents;
    }

    /// <summary>Noise, zeros and runs, in pieces of odd lengths.</summary>
    private static byte[] Bytes(int size)
    {
        var random = new Random(size);
        var bytes = new byte[size];
        for (var at = 0; at < size;)
        {
            var piece = bytes.AsSpan(at, Math.Min(size - at, random.Next(1, 150_000)));
            switch (random.Next(3))
            {
                case 0:
                    random.NextBytes(piece);
                    break;
                case 1:
                    piece.Fill((byte)random.Next(256));
                    break;
            }

            at += piece.Length;
        }

        return bytes;
    }

    private static async Task<byte[]> ConvertAsync(string path, byte[] bytes, params string[] options)
    {
        var raw = path + ".raw";
        await File.WriteAllBytesAsync(raw, bytes, Stop);
        await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", .. options, raw, path], Stop);
        File.Delete(raw);

        // QEMU counts in sectors.
        Array.Resize(ref bytes, (bytes.Length + 511) / 512 * 512);
        return bytes;
    }

    private static Task CreateAsync(string path, string options, long size) =>
        Tool.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", options, path, $"{size}"], Stop);

    // QEMU compresses whole clusters into room that is not allocated yet.
    private static bool MayCompress(string kind) =>
        !kind.Contains("preallocation", StringComparison.Ordinal) && !kind.Contains("2M", StringComparison.Ordinal);

    /// <summary>Compresses, writes and zeroes here and there, and answers what a guest sees then.</summary>
    private static async Task<byte[]> WriteAsync(string path, byte[] bytes, int seed, bool mayCompress)
    {
        var random = new Random(seed);
        var commands = new List<string>();
        for (var slot = random.Next(3); mayCompress && (slot + 1) * 64 * KiB <= bytes.Length && commands.Count < 4; slot += random.Next(1, 9))
            Add("write -q -c", slot * 64 * KiB, 64 * KiB, (byte)random.Next(1, 256));

        for (var i = 0; i < 12; i++)
        {
            var at = random.Next(bytes.Length / 512) * 512;
            var count = Math.Min(bytes.Length - at, random.Next(1, 400) * 512);
            if (random.Next(3) == 0)
                Add(random.Next(2) == 0 ? "write -q -z" : "write -q -z -u", at, count, 0);
            else
                Add("write -q", at, count, (byte)random.Next(1, 256));
        }

        await Tool.RunAsync("qemu-io", ["-f", "qcow2", "-d", "unmap", .. commands.SelectMany(c => new[] { "-c", c }), path], Stop);
        return bytes;

        void Add(string command, int at, int count, byte value)
        {
            commands.Add($"{command} {(value == 0 ? "" : $"-P {value} ")}{at} {count}");
            bytes.AsSpan(at, count).Fill(value);
        }
    }

    private string NewPath() => Path.Combine(_directory.FullName, Path.GetRandomFileName());

    private sealed record Cell(string Name, Func<string, Task<byte[]>> MakeAsync);
}
