using System.Collections.Concurrent;
using Vitrine.Transfers;

namespace Vitrine.ApiTests;

/// <summary>Runs every transfer at once, in this process.</summary>
public sealed class PromptScheduler(TransferRunner runner) : ITransferScheduler
{
    private readonly ConcurrentDictionary<TransferId, Task> _runs = [];

    public Task ScheduleAsync(TransferId id, CancellationToken cancellationToken)
    {
        _runs[id] = Task.Run(() => runner.RunAsync(id, CancellationToken.None), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Until every transfer that was scheduled so far is over.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_runs.Values);
}
