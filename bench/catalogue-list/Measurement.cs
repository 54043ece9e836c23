using System.Diagnostics;

namespace Vitrine.Bench.CatalogueList;

/// <param name="Median">In milliseconds.</param>
/// <param name="Worst">What one in a hundred takes longer than, in milliseconds.</param>
/// <param name="Found">What the last run answered.</param>
internal sealed record Measurement(string Name, double Median, double Worst, int Found)
{
    private const int Runs = 200;
    private const int WarmUps = 20;

    public static async Task<Measurement> TakeAsync(string name, Func<Task<int>> run)
    {
        for (var i = 0; i < WarmUps; i++)
            await run();

        var (times, found) = (new List<double>(), 0);
        for (var i = 0; i < Runs; i++)
        {
            var began = Stopwatch.GetTimestamp();
            found = await run();
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return Of(name, times, found);
    }

    public static Measurement Of(string name, List<double> times, int found)
    {
        times.Sort();
        return new Measurement(name, times[times.Count / 2], times[times.Count * 99 / 100], found);
    }
}
