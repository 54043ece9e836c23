using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Transfers;

namespace Vitrine.ApiTests;

/// <summary>Runs every transfer at once, in this process.</summary>
public sealed class PromptScheduler(IServiceProvider services) : ITransferScheduler
{
    private readonly ConcurrentDictionary<TransferId, Task> _runs = [];

    public Task ScheduleAsync(TransferId id, CancellationToken cancellationToken)
    {
        _runs[id] = Task.Run(() => services.GetRequiredService<TransferRunner>().RunAsync(id, CancellationToken.None), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Until every transfer that was scheduled so far is over, and those that they led to.</summary>
    public async Task WhenIdleAsync()
    {
        while (_runs.Values.FirstOrDefault(run => !run.IsCompleted) is { } running)
            await running;
        await Task.WhenAll(_runs.Values);
    }
}
