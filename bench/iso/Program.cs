using System.Diagnostics;
using System.Text;
using Vitrine.Formats.Iso9660;

const int WarmUp = 500;

// usage: iso [ROUNDS]
// Makes the same config drive again and again, by turns in process and by genisoimage, and prints the medians and how often the one goes into the other.
var rounds = args is [var count] ? int.Parse(count) : 100;
var files = new Dictionary<string, byte[]>
{
    ["openstack/latest/meta_data.json"] = Encoding.UTF8.GetBytes("{\"uuid\":\"6c9d2b7e\",\"hostname\":\"guest\",\"keys\":[]}"),
    ["openstack/latest/network_data.json"] = "{}"u8.ToArray(),
    ["openstack/latest/vendor_data.json"] = "{}"u8.ToArray(),
    ["openstack/latest/user_data"] = new byte[16 * 1024],
    ["ec2/latest/meta-data.json"] = "{\"ami-id\":\"ami-1\"}"u8.ToArray(),
    ["ec2/latest/user-data"] = new byte[16 * 1024],
};

var directory = Directory.CreateTempSubdirectory("vitrine-bench-iso-");
try
{
    var tree = directory.CreateSubdirectory("tree").FullName;
    foreach (var (path, bytes) in files)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(tree, path))!);
        await File.WriteAllBytesAsync(Path.Combine(tree, path), bytes);
    }

    // The tree is on disk already, so that genisoimage is charged for its own work alone. A library runs for days; its code is warm.
    var (inMemory, inFile, forked) = (new List<double>(), new List<double>(), new List<double>());
    for (var i = 0; i < WarmUp; i++)
        await Make().ToArrayAsync(CancellationToken.None);
    for (var i = 0; i < rounds; i++)
    {
        inMemory.Add(await TimeAsync(() => Make().ToArrayAsync(CancellationToken.None)));
        // New files: cutting one to nothing and writing it again makes some file systems wait for the disk.
        inFile.Add(await TimeAsync(() => MakeFileAsync(Path.Combine(directory.FullName, $"ours-{i}.iso"))));
        forked.Add(await TimeAsync(() => ForkAsync(tree, Path.Combine(directory.FullName, $"theirs-{i}.iso"))));
    }

    Console.WriteLine($"in process, in memory   {Median(inMemory),9:0.000} ms {Median(forked) / Median(inMemory),9:0.0}x");
    Console.WriteLine($"in process, to a file   {Median(inFile),9:0.000} ms {Median(forked) / Median(inFile),9:0.0}x");
    Console.WriteLine($"genisoimage             {Median(forked),9:0.000} ms");
}
finally
{
    directory.Delete(recursive: true);
}

IsoImage Make()
{
    var builder = new IsoBuilder("config-2", DateTimeOffset.UnixEpoch);
    foreach (var (name, bytes) in files)
        builder.AddFile(name, bytes);

    return builder.Build();
}

async Task MakeFileAsync(string path)
{
    var bytes = await Make().ToArrayAsync(CancellationToken.None);
    File.WriteAllBytes(path, bytes);
}

static async Task ForkAsync(string tree, string path)
{
    string[] arguments = ["-quiet", "-J", "-r", "-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-V", "config-2", "-o", path, tree];
    using var process = Process.Start(new ProcessStartInfo("genisoimage", arguments) { UseShellExecute = false, RedirectStandardError = true })!;
    await process.WaitForExitAsync();
    if (process.ExitCode != 0)
        throw new InvalidOperationException("genisoimage failed.");
}

static async Task<double> TimeAsync(Func<Task> work)
{
    var began = Stopwatch.GetTimestamp();
    await work();
    return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
}

static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
