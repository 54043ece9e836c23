using System.Diagnostics;
using Vitrine;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;

// convert IN FORMAT OUT FORMAT[:VARIANT] [--compress]
// Converts a file into one that is not there yet, and says how many seconds of the program's own that took.
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
    using var file = File.OpenHandle(args[2], FileMode.CreateNew, FileAccess.ReadWrite);
    await conversion.WriteFileAsync(file, progress: null, CancellationToken.None);
}

Console.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds:F3}");
return 0;
