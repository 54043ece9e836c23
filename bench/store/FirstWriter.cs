using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;

namespace Vitrine.Bench.Store;

/// <summary>How long the first writer of a process waits for what the packs of a store have, which is when the index of blocks is made.</summary>
/// <remarks>
/// The packs are as long as full ones and have the tables of full ones, of random names; where their segments would be there are holes, as
/// nobody reads those here.
/// </remarks>
internal static class FirstWriter
{
    private const int Segments = 256;
    private const int Rounds = 3;

    public static async Task MeasureAsync(string directory, int packs, Func<string, ChunkedStore> open)
    {
        await using (var empty = open(directory))
            await empty.ProbeAsync(CancellationToken.None);

        Directory.CreateDirectory(Path.Combine(directory, StoreLayout.PackPrefix));

        for (var made = Directory.EnumerateFiles(Path.Combine(directory, StoreLayout.PackPrefix), "*", SearchOption.AllDirectories).Count(); made < packs; made++)
            MakePack(directory);

        for (var round = 0; round < Rounds; round++)
        {
            await using var store = open(directory);
            var (began, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            await (await store.OpenWriterAsync(new StagingKey("first"), CancellationToken.None)).DisposeAsync();
            var (took, used) = (Stopwatch.GetElapsedTime(began), Environment.CpuUsage.TotalTime - processor);
            await store.DiscardAsync(new StagingKey("first"), CancellationToken.None);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{packs} packs: the first writer waited {took.TotalSeconds:0.00} s, {used.TotalSeconds:0.00} CPU s; {GC.GetTotalAllocatedBytes() >> 20} MiB allocated, {Environment.WorkingSet >> 20} MiB resident"));
        }
    }

    private static void MakePack(string directory)
    {
        var id = Guid.NewGuid();
        var name = new byte[BlockName.Length];
        var (segments, blocks) = (new List<SegmentEntry>(), new List<PackedBlock>());
        for (var i = 0; i < Segments; i++)
        {
            var header = PackFormat.FrameHeaderLength;
            var before = segments is [.., var last] ? last : new SegmentEntry(PackFormat.HeadLength, 0, 0, 0, 0, SegmentCoding.Raw);
            segments.Add(new SegmentEntry(before.End + (uint)header, PackFormat.MaxSegment, before.PlainEnd, PackFormat.MaxSegment, 0, SegmentCoding.Raw));
            for (var block = 0; block < PackFormat.MostBlocks; block++)
            {
                RandomNumberGenerator.Fill(name);
                blocks.Add(new PackedBlock(BlockName.Read(name), PackFormat.BlockLength));
            }
        }

        var path = Path.Combine(directory, StoreLayout.PackName(id));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(file, PackFormat.WriteHead(id), 0);
        RandomAccess.Write(file, PackFormat.WriteTables(segments, blocks), segments[^1].End);
    }
}
