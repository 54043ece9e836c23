using System.Diagnostics.Metrics;

namespace Vitrine.Stores.Objects;

/// <summary>How long the servers of stores take for what they are asked.</summary>
internal static class StoreMeter
{
    private const string AsyncSuffix = "Async";

    private static readonly Meter Meter = new("Vitrine.Stores");

    private static readonly Histogram<double> Requests = Meter.CreateHistogram<double>(
        "vitrine.stores.requests", "s", "Requests to the servers of stores, each try by itself, by store, operation and outcome (answered, failed or cancelled).");

    /// <param name="operation">The name of the method that asks.</param>
    public static void Observe(string store, string operation, string outcome, TimeSpan took)
    {
        if (Requests.Enabled)
            Requests.Record(
                took.TotalSeconds, new("store", store), new("operation", operation.EndsWith(AsyncSuffix, StringComparison.Ordinal) ? operation[..^AsyncSuffix.Length] : operation), new("outcome", outcome));
    }
}
