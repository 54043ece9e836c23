using System.Diagnostics;
using Vitrine;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;

// convert IN FORMAT OUT FORMAT[:VARIANT] [--compress]
// Converts a file and says how many seconds it took inside the program, and how much memory it came to at most.
if (args.Length is not (4 or 5))
{
    Console.Error.WriteLine("usage: convert IN FORMAT OUT FORMAT[:VARIANT] [--compress]");
    return 1;
}

var words = args[3].Split(':');
var target = new ConversionTarget(
    EnumWords.Parse<DiskFormat>(words[0], "format"), words.ElementAtOrDefault(1), Compress: args.Length == 5 && args[4] == "--compress");
var began = Stopwatch.GetTimestamp();
var formats = new DiskFormats();
var disk = await formats.OpenAsync(new FileContent(args[0]), EnumWords.Parse<DiskFormat>(args[1], "format"), CancellationToken.None);
await using (var conversion = await formats.ConvertAsync(disk, target, CancellationToken.None))
{
    using var file = File.OpenHandle(args[2], FileMode.Create, FileAccess.ReadWrite);
    await conversion.WriteFileAsync(file, progress: null, CancellationToken.None);
}

using var self = Process.GetCurrentProcess();
Console.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s, {self.PeakWorkingSet64 / (1024 * 1024)} MiB");
return 0;
