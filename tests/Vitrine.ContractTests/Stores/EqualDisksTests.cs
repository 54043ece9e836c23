using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>One disk that comes in several formats is kept once.</summary>
public sealed class EqualDisksTests : IDisposable
{
    private const int Length = 24 * 1024 * 1024;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vitrine-disks-");
    private readonly MemoryObjects _objects = new("memory", TimeProvider.System);
    private readonly ChunkedStore _store;

    public EqualDisksTests() =>
        _store = new ChunkedStore("memory", _objects, new ChunkedStoreOptions(), TimeProvider.System, _ => Task.FromResult(true));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [TheoryWithTool("qemu-img")]
    [InlineData("qcow2", "")]
    [InlineData("qcow2", "cluster_size=4k")]
    [InlineData("vmdk", "")]
    [InlineData("vhdx", "")]
    [InlineData("vdi", "")]
    [InlineData("vpc", "force_size=on")]
    [InlineData("vpc", "subformat=fixed,force_size=on")]
    public async Task A_disk_in_another_format_takes_hardly_more_room(string format, string options)
    {
        var raw = Path.Combine(_folder.FullName, "disk.raw");
        await File.WriteAllBytesAsync(raw, Disk(), Stop);
        await IngestAsync(raw);
        var alone = await SizeAsync();

        var other = Path.Combine(_folder.FullName, "disk.other");
        await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", format, .. options.Length > 0 ? new[] { "-o", options } : [], raw, other], Stop);
        await IngestAsync(other);
        Assert.InRange(await SizeAsync(), alone, alone * 105 / 100);
    }

    [Fact]
    public async Task A_partition_may_begin_at_any_sector()
    {
        var partition = RandomNumberGenerator.GetBytes(2_000_000 / 512 * 512);
        await IngestAsync(Write("first", WithPartition(partition, sector: 2048)));
        var alone = await SizeAsync();

        await IngestAsync(Write("second", WithPartition(partition, sector: 63)));
        Assert.InRange(await SizeAsync(), alone, alone * 102 / 100);
    }

    // Random data with holes, so that every format leaves something out.
    private static byte[] Disk()
    {
        var disk = new byte[Length];
        var random = new Random(2);
        for (var at = 0; at < Length; at += 1024 * 1024)
        {
            if (random.Next(3) > 0)
                random.NextBytes(disk.AsSpan(at, random.Next(1, 256) * 4096));
        }

        return disk;
    }

    private static byte[] WithPartition(byte[] partition, int sector)
    {
        var disk = new byte[sector * 512 + partition.Length];
        disk[446 + 4] = 0x83;
        BitConverter.TryWriteBytes(disk.AsSpan(446 + 8), sector);
        BitConverter.TryWriteBytes(disk.AsSpan(446 + 12), partition.Length / 512);
        (disk[510], disk[511]) = (0x55, 0xaa);
        partition.CopyTo(disk, sector * 512);
        return disk;
    }

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private async Task IngestAsync(string path)
    {
        var writer = await _store.OpenWriterAsync(new StagingKey("key"), Stop);
        await using var ingest = new Ingest(writer, new FormatInspector(), sums: [], TimeProvider.System);
        await using var file = File.OpenRead(path);
        await ingest.TakeAsync(file, file.Length, long.MaxValue, _ => Task.CompletedTask, Stop);
        var result = await ingest.FinishAsync(Stop);
        await ingest.CommitAsync(result.Digest, Stop);

        await using var reader = await _store.OpenAsync(result.Digest, Stop);
        var bytes = new byte[reader.Length];
        Assert.Equal(bytes.Length, await reader.ReadAsync(0, bytes, Stop));
        Assert.Equal(result.Digest, Digest.Of(bytes));
    }

    private async Task<long> SizeAsync() => (await _objects.ListAsync("", Stop).ToListAsync(Stop)).Sum(o => o.Length);
}
