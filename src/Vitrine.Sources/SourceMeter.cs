using System.Diagnostics.Metrics;
using Vitrine.Transfers;

namespace Vitrine.Sources;

/// <summary>The figures of the meter <c>Vitrine.Sources</c>. None of them names a host: those are for users to choose, without end.</summary>
internal sealed class SourceMeter : IDisposable
{
    public const string Name = "Vitrine.Sources";

    private readonly Meter _meter;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _readings;

    public SourceMeter(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(Name) ?? new Meter(Name);
        _bytes = _meter.CreateCounter<long>("vitrine.sources.received", "By", "Bytes of bodies that sources sent.");
        _readings = _meter.CreateCounter<long>(
            "vitrine.sources.readings", "{reading}", "Readings that were begun, by the code of what they came to.");
    }

    public void Received(int count) => _bytes.Add(count);

    public async Task<T> CountAsync<T>(Func<Task<T>> open)
    {
        var outcome = "cancelled";
        try
        {
            var opened = await open();
            outcome = "opened";
            return opened;
        }
        catch (SourceException failure)
        {
            outcome = failure.Code;
            throw;
        }
        finally
        {
            _readings.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    public void Dispose() => _meter.Dispose();
}
