using System.Diagnostics;
using System.Globalization;
using Vitrine.Bench.Store;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;

// usage: store DIRECTORY FILE…
// Takes each file into the chunked store in the directory as an upload is taken, with all digests and the inspection, and reads it back in
// another store object, which has nothing in memory. Prints a line for each: its length, the rates in MB/s, and what the store has grown by.
// LEVEL in the environment compresses otherwise than by default.
//        store first-writer DIRECTORY PACKS
// Makes a store of so many full packs, and says how long the first writer waits until it knows what they have.
if (args is ["first-writer", var place, var count] && int.TryParse(count, CultureInfo.InvariantCulture, out var packs))
{
    await FirstWriter.MeasureAsync(Directory.CreateDirectory(place).FullName, packs, Open);
    return 0;
}

if (args is not [var directory, _, ..])
{
    Console.Error.WriteLine("usage: store DIRECTORY FILE… | store first-writer DIRECTORY PACKS");
    return 2;
}

Directory.CreateDirectory(directory);
Print("file", "MiB", "in, MB/s", "out, MB/s", "grown, MiB", "CPU in, s");
foreach (var file in args[1..])
{
    var before = SizeOf(directory);
    var (digest, length, took, processor) = await PutAsync(directory, file);
    var read = await ReadAsync(directory, digest);
    Print(Path.GetFileName(file), Mebi(length), Rate(length, took), Rate(length, read), Mebi(SizeOf(directory) - before),
        processor.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture));
}

await using (var store = Open(directory))
{
    var report = await store.ReportAsync(CancellationToken.None);
    Console.WriteLine($"stored {report.Stored} bytes in {SizeOf(directory)} of files, metadata {report.Metadata}");
}

return 0;

static ChunkedStore Open(string directory)
{
    var options = new ChunkedStoreOptions();
    if (Environment.GetEnvironmentVariable("LEVEL") is { } level)
        options.CompressionLevel = int.Parse(level, CultureInfo.InvariantCulture);
    return ChunkedStore.InDirectory("bench", directory, options, TimeProvider.System);
}

static async Task<(Digest Digest, long Length, TimeSpan Took, TimeSpan Processor)> PutAsync(string directory, string path)
{
    await using var store = Open(directory);
    await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous);

    // The index is loaded by the first writer, as it is once in a server's life.
    await (await store.OpenWriterAsync(new StagingKey("first"), CancellationToken.None)).DisposeAsync();
    await store.DiscardAsync(new StagingKey("first"), CancellationToken.None);

    var (began, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
    await using var ingest = new Ingest(
        await store.OpenWriterAsync(new StagingKey("bench"), CancellationToken.None), new FormatInspector(), sums: [ChecksumAlgorithm.Md5, ChecksumAlgorithm.Sha512], TimeProvider.System);
    await ingest.TakeAsync(file, file.Length, long.MaxValue, _ => Task.CompletedTask, CancellationToken.None);
    var result = await ingest.FinishAsync(CancellationToken.None);
    await ingest.CommitAsync(result.Digest, CancellationToken.None);
    return (result.Digest, result.Length, Stopwatch.GetElapsedTime(began), Environment.CpuUsage.TotalTime - processor);
}

static async Task<TimeSpan> ReadAsync(string directory, Digest digest)
{
    await using var store = Open(directory);
    var buffer = new byte[128 * 1024];
    var began = Stopwatch.GetTimestamp();
    await using var reader = await store.OpenAsync(digest, CancellationToken.None);
    for (var offset = 0L; await reader.ReadAsync(offset, buffer, CancellationToken.None) is > 0 and var count;)
        offset += count;

    return Stopwatch.GetElapsedTime(began);
}

static long SizeOf(string directory) => new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);

static string Mebi(long bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);

static string Rate(long bytes, TimeSpan took) => (bytes / 1e6 / took.TotalSeconds).ToString("0", CultureInfo.InvariantCulture);

static void Print(params string[] row) => Console.WriteLine("{0,-24}{1,10}{2,12}{3,12}{4,12}{5,12}", [.. row]);
