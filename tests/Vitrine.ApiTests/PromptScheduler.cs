using Microsoft.Extensions.DependencyInjection;
using Vitrine.Transfers;

namespace Vitrine.ApiTests;

/// <summary>Runs every transfer at once, in this process.</summary>
public sealed class PromptScheduler(IServiceProvider services) : ITransferScheduler
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TransferId, Task> _runs = [];

    /// <remarks>A run that has stored its end may be on its way out still, and would turn the next away: it is waited for.</remarks>
    public Task ScheduleAsync(TransferId id, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var before = _runs.GetValueOrDefault(id, Task.CompletedTask);
            _runs[id] = Task.Run(() => RunAsync(id, before), CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    /// <summary>Until every transfer that was scheduled so far is over, and those that they led to.</summary>
    public async Task WhenIdleAsync()
    {
        while (Runs().FirstOrDefault(run => !run.IsCompleted) is { } running)
            await running;
        await Task.WhenAll(Runs());
    }

    private async Task RunAsync(TransferId id, Task before)
    {
        await before;
        await services.GetRequiredService<TransferRunner>().RunAsync(id, CancellationToken.None);
    }

    private List<Task> Runs()
    {
        lock (_lock)
            return [.. _runs.Values];
    }
}
