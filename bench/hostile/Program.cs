using System.Diagnostics;
using Vitrine.Bench.Hostile;
using Vitrine.Formats;

// hostile [DIRECTORY]          measures every image, each in a process of its own beside one of a small disk
// hostile NAME SIZE DIRECTORY  makes the image of a disk of that size, uses it, and prints the peak of its memory in KiB
const long Small = 4L << 30;
const long Large = 2L << 40;
const int Reads = 2_000;
const int ReadLength = 128 * 1024;

if (args.Length == 3)
{
    Console.WriteLine(await MeasureAsync(HostileImage.All.Single(i => i.Name == args[0]), long.Parse(args[1]), args[2]));
    return;
}

var directory = args.Length == 1 ? args[0] : Path.GetTempPath();
Console.WriteLine("| image | peak of a small disk, MiB | peak of 2 TiB, MiB | beyond, MiB | seconds |");
foreach (var image in HostileImage.All)
{
    var began = Stopwatch.GetTimestamp();
    var (small, large) = (RunSelf(image.Name, Small) / 1024, RunSelf(image.Name, Large) / 1024);
    Console.WriteLine($"| {image.Name} | {small} | {large} | {large - small} | {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} |");
}

long RunSelf(string name, long size)
{
    var start = new ProcessStartInfo(Environment.ProcessPath!, [name, $"{size}", directory]) { RedirectStandardOutput = true, UseShellExecute = false };
    using var process = Process.Start(start)!;
    return long.Parse(process.StandardOutput.ReadToEnd());
}

static async Task<long> MeasureAsync(HostileImage image, long size, string directory)
{
    var path = Path.Combine(directory, $"hostile-{Guid.NewGuid():N}");
    try
    {
        image.Write(path, size);
        await using var disk = await new DiskFormats().OpenAsync(new FileContent(path), image.Format, CancellationToken.None);
        await disk.CheckAsync(CancellationToken.None);
        await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, CancellationToken.None))
            _ = extent;

        var (buffer, random) = (new byte[ReadLength], new Random(1));
        for (var read = 0; read < Reads; read++)
            await disk.ReadAsync(random.NextInt64(disk.Length - ReadLength), buffer, CancellationToken.None);
    }
    finally
    {
        File.Delete(path);
    }

    using var self = Process.GetCurrentProcess();
    return self.PeakWorkingSet64 / 1024;
}
