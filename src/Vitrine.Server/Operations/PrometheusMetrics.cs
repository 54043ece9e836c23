using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Vitrine.Server.Operations;

/// <summary>Collects what the meters of this process report, and prints it as Prometheus reads it.</summary>
/// <remarks>
/// The text format 0.0.4: counters end in <c>_total</c>, histograms have cumulative buckets, names and labels are of letters,
/// digits and underscores.
/// </remarks>
internal sealed class PrometheusMetrics : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly string[] Meters =
        ["Vitrine", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql"];

    // Seconds; transfers of bytes and of requests both fit.
    private static readonly double[] Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(Instrument Instrument, string Labels), Series> _series = [];

    public PrometheusMetrics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (Array.Exists(Meters, name => instrument.Meter.Name == name || instrument.Meter.Name.StartsWith(name + ".", StringComparison.Ordinal)))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<byte>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<short>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<int>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<float>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<decimal>((i, v, tags, _) => Record(i, (double)v, tags));
        _listener.Start();
    }

    /// <summary>All series as they stand now.</summary>
    public string Print()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var family in _series.GroupBy(s => s.Key.Instrument).OrderBy(g => NameOf(g.Key), StringComparer.Ordinal))
            Print(text, family.Key, family.OrderBy(s => s.Key.Labels, StringComparer.Ordinal).Select(s => (s.Key.Labels, s.Value)));

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = _series.GetOrAdd((instrument, LabelsOf(tags)), _ => new Series());
        if (IsHistogram(instrument))
            series.Observe(value);
        else if (instrument.IsObservable)
            series.Set(value);
        else
            series.Add(value);
    }

    private static void Print(StringBuilder text, Instrument instrument, IEnumerable<(string Labels, Series Series)> family)
    {
        var name = NameOf(instrument);
        if (!string.IsNullOrEmpty(instrument.Description))
            text.Append("# HELP ").Append(name).Append(' ').AppendLine(instrument.Description.ReplaceLineEndings(" "));
        text.Append("# TYPE ").Append(name).Append(' ').AppendLine(
            IsHistogram(instrument) ? "histogram" : IsCounter(instrument) ? "counter" : "gauge");
        foreach (var (labels, series) in family)
        {
            if (IsHistogram(instrument))
                PrintHistogram(text, name, labels, series);
            else
                PrintSample(text, name, labels, series.Value);
        }
    }

    private static void PrintHistogram(StringBuilder text, string name, string labels, Series series)
    {
        var (buckets, count, sum) = series.Histogram();
        var before = labels.Length == 0 ? "" : labels + ",";
        for (var i = 0; i < Bounds.Length; i++)
            PrintSample(text, name + "_bucket", $"{before}le=\"{Number(Bounds[i])}\"", buckets[i]);

        PrintSample(text, name + "_bucket", before + "le=\"+Inf\"", count);
        PrintSample(text, name + "_sum", labels, sum);
        PrintSample(text, name + "_count", labels, count);
    }

    private static void PrintSample(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').AppendLine(Number(value));
    }

    private static string NameOf(Instrument instrument)
    {
        var name = Identifier(instrument.Name);
        name = instrument.Unit switch
        {
            "s" => name + "_seconds",
            "By" => name + "_bytes",
            _ => name,
        };
        return IsCounter(instrument) && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0)
            return "";

        var labels = new List<string>(tags.Length);
        foreach (var (name, value) in tags)
            labels.Add($"{Identifier(name)}=\"{Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")}\"");
        labels.Sort(StringComparer.Ordinal);
        return string.Join(',', labels);
    }

    private static string Identifier(string name) => string.Create(name.Length, name, (target, source) =>
    {
        for (var i = 0; i < source.Length; i++)
            target[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
    });

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static bool IsHistogram(Instrument instrument) => TypeNameOf(instrument).StartsWith("Histogram", StringComparison.Ordinal);

    private static bool IsCounter(Instrument instrument) => TypeNameOf(instrument) is var type
        && (type.StartsWith("Counter", StringComparison.Ordinal) || type.StartsWith("ObservableCounter", StringComparison.Ordinal));

    private static string TypeNameOf(Instrument instrument) => instrument.GetType().Name;

    private sealed class Series
    {
        private readonly Lock _lock = new();
        private readonly double[] _buckets = new double[Bounds.Length];
        private double _value;
        private double _count;

        public double Value
        {
            get
            {
                lock (_lock)
                    return _value;
            }
        }

        public void Add(double value)
        {
            lock (_lock)
                _value += value;
        }

        public void Set(double value)
        {
            lock (_lock)
                _value = value;
        }

        public void Observe(double value)
        {
            lock (_lock)
            {
                for (var i = 0; i < Bounds.Length; i++)
                {
                    if (value <= Bounds[i])
                        _buckets[i]++;
                }

                _count++;
                _value += value;
            }
        }

        public (double[] Buckets, double Count, double Sum) Histogram()
        {
            lock (_lock)
                return ([.. _buckets], _count, _value);
        }
    }
}
