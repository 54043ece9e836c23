using System.Collections.Concurrent;

namespace Vitrine.Content;

/// <summary>Runs the sums of all ingests on threads of their own, one a core.</summary>
/// <remarks>
/// Hashing is long, uninterrupted computing. On the shared pool, twenty transfers would stand before every request that
/// comes in; here the operating system shares the cores out between them.
/// </remarks>
internal sealed class IngestThreads : TaskScheduler
{
    public static readonly IngestThreads Shared = new(Environment.ProcessorCount);

    private readonly BlockingCollection<Task> _tasks = [];

    private IngestThreads(int count)
    {
        for (var i = 0; i < count; i++)
            new Thread(Work) { IsBackground = true, Name = $"ingest-{i}" }.Start();
    }

    public override int MaximumConcurrencyLevel => Environment.ProcessorCount;

    /// <summary>Runs asynchronous work whose every continuation stays on these threads.</summary>
    public Task Run(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    protected override void QueueTask(Task task) => _tasks.Add(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _tasks;

    private void Work()
    {
        foreach (var task in _tasks.GetConsumingEnumerable())
            TryExecuteTask(task);
    }
}
