using System.Collections.Concurrent;
using Vitrine.Stores;

namespace Vitrine.ApiTests;

/// <summary>Runs every operation of a store at once, in this process.</summary>
public sealed class PromptStoreScheduler(StoreOperationRunner runner) : IStoreOperationScheduler
{
    private readonly ConcurrentDictionary<StoreOperationId, Task> _runs = [];

    public Task ScheduleAsync(StoreOperationId id, CancellationToken cancellationToken)
    {
        _runs[id] = Task.Run(() => runner.RunAsync(id, CancellationToken.None), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Until every operation that was scheduled so far is over.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_runs.Values);
}
