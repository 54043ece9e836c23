using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace Vitrine.UnitTests.Content;

/// <summary>Counts the buffers of one size that are rented from the shared pool and not given back.</summary>
/// <remarks>Sees the whole process, so nothing else may use such buffers meanwhile.</remarks>
internal sealed class PooledBuffers(int size) : EventListener
{
    private const int Rented = 1;
    private const int Returned = 3;

    private readonly ConcurrentDictionary<int, int> _balance = [];

    /// <summary>How many were ever rented while this was listening.</summary>
    public int Seen => _balance.Count;

    /// <summary>How many are still out; a buffer that was given back twice counts, too.</summary>
    public int Unsettled => _balance.Values.Count(b => b != 0);

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "System.Buffers.ArrayPoolEventSource")
            EnableEvents(eventSource, EventLevel.Verbose);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventId is not (Rented or Returned) || (int)eventData.Payload![1]! != size)
            return;

        var change = eventData.EventId == Rented ? 1 : -1;
        _balance.AddOrUpdate((int)eventData.Payload[0]!, change, (_, balance) => balance + change);
    }
}

/// <summary>Runs beside no other test, because it looks at what the whole process does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
