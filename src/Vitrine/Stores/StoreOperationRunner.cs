using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Vitrine.Nodes;

namespace Vitrine.Stores;

/// <summary>Carries one operation to its end, or as far as this node lives; the next begins it again.</summary>
public sealed partial class StoreOperationRunner
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    private readonly IStoreOperationCatalogue _catalogue;
    private readonly StoreRegistry _stores;
    private readonly IEnumerable<IStoreWork> _works;
    private readonly INodeCatalogue _nodes;
    private readonly ThisNode _node;
    private readonly NodeDuty _duty;
    private readonly TimeProvider _time;
    private readonly ILogger<StoreOperationRunner> _logger;
    private readonly ConcurrentDictionary<StoreOperationId, bool> _running = [];

    internal StoreOperationRunner(
        IStoreOperationCatalogue catalogue, StoreRegistry stores, IEnumerable<IStoreWork> works, INodeCatalogue nodes, ThisNode node,
        NodeDuty duty, TimeProvider time, ILogger<StoreOperationRunner> logger)
    {
        (_catalogue, _stores, _works, _nodes, _node) = (catalogue, stores, works, nodes, node);
        (_duty, _time, _logger) = (duty, time, logger);
    }

    /// <summary>
    /// Works on the operation until it is over, the node stops or is drained. Being told twice is no harm, nor is it on a node that takes no
    /// work or does not reach the store.
    /// </summary>
    public async Task RunAsync(StoreOperationId id, CancellationToken stopping)
    {
        if (!_duty.TakesWork || !_running.TryAdd(id, true))
            return;

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, _duty.Leaving);
        try
        {
            if (await _catalogue.FindAsync(id, stopping) is { IsOver: false } operation && _stores.Has(operation.Store)
                && !await IsElsewhereAsync(operation, stopping))
            {
                await RunAloneAsync(operation, ending.Token);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            // Another node that reaches the store finds it at its next heartbeat.
        }
        finally
        {
            _running.TryRemove(id, out _);
        }
    }

    /// <summary>True for one that this node can work on, and does not.</summary>
    public bool Awaits(StoreOperation operation) => _duty.TakesWork && _stores.Has(operation.Store) && !_running.ContainsKey(operation.Id);

    private async Task<bool> IsElsewhereAsync(StoreOperation operation, CancellationToken stopping) =>
        operation.Node is { } holder && holder != _node.Instance
        && (await _nodes.ListAsync(stopping)).Any(n => n.Instance == holder && n.IsAlive(_time.GetUtcNow()));

    private async Task RunAloneAsync(StoreOperation operation, CancellationToken stopping)
    {
        try
        {
            var taken = await _catalogue.SaveAsync(operation.Take(_node.Instance, _node.Name, _time.Now()), stopping);
            await CarryAsync(taken, stopping);
        }
        catch (ConcurrentChangeException)
        {
            LogLost(operation.Id);
        }
    }

    private async Task CarryAsync(StoreOperation operation, CancellationToken stopping)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var progress = new LastProgress();
        var work = WorkAsync(operation, progress, ending.Token);
        try
        {
            while (!await IsOverSoonAsync(work))
                operation = await ReportAsync(operation, progress.Value);
        }
        finally
        {
            // Whatever kept the progress from being stored: nobody may work on what another node has taken since.
            await ending.CancelAsync();
            await Task.WhenAny(work);
        }

        await _catalogue.SaveAsync(await ConcludeAsync(operation with { Progress = progress.Value }, work, stopping), CancellationToken.None);
        stopping.ThrowIfCancellationRequested();
    }

    private Task<Func<StoreOperation, StoreOperation>> WorkAsync(
        StoreOperation operation, LastProgress progress, CancellationToken cancellationToken) =>
        _works.First(w => w.Does(operation.Kind)).RunAsync(operation, progress, cancellationToken);

    private async Task<StoreOperation> ConcludeAsync(
        StoreOperation operation, Task<Func<StoreOperation, StoreOperation>> work, CancellationToken stopping)
    {
        try
        {
            var finish = await work;
            LogDone(operation.Id, operation.Kind, operation.Store);
            return finish(operation);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return operation.Release();
        }
        catch (WriterBusyException)
        {
            // A node that was taken for dead still collects, until it notices; the operation waits in the queue meanwhile.
            return operation.Release();
        }
        catch (LibraryException failure)
        {
            LogFailed(operation.Id, failure.Code, failure.Message);
            return operation.Fail(new StoreOperationFailure(failure.Code, failure.Message, failure.Remedy), _time.Now());
        }
        catch (Exception failure)
        {
            LogUnexpected(failure, operation.Id);
            return operation.Fail(
                new StoreOperationFailure("internal", "An unexpected error happened in the library.", "Look at the node's log for this operation."), _time.Now());
        }
    }

    private async Task<StoreOperation> ReportAsync(StoreOperation operation, UpkeepProgress progress) =>
        progress == operation.Progress ? operation : await _catalogue.SaveAsync(operation.Advance(progress), CancellationToken.None);

    /// <returns>False where there is time for another report.</returns>
    private async Task<bool> IsOverSoonAsync(Task work)
    {
        using var waiting = new CancellationTokenSource();
        var first = await Task.WhenAny(work, Task.Delay(ProgressInterval, _time, waiting.Token));
        await waiting.CancelAsync();
        return first == work;
    }

    [LoggerMessage(LogLevel.Information, "Operation {Operation} was taken away from this node")]
    private partial void LogLost(StoreOperationId operation);

    [LoggerMessage(LogLevel.Information, "Operation {Operation}, {Kind} of store {Store}, is done")]
    private partial void LogDone(StoreOperationId operation, StoreOperationKind kind, string store);

    [LoggerMessage(LogLevel.Error, "Operation {Operation} failed: {Code}: {Cause}")]
    private partial void LogFailed(StoreOperationId operation, string code, string cause);

    [LoggerMessage(LogLevel.Error, "Operation {Operation} ran into something unexpected")]
    private partial void LogUnexpected(Exception failure, StoreOperationId operation);

    /// <summary>What was reported last, for whoever looks now and then.</summary>
    private sealed class LastProgress : IProgress<UpkeepProgress>
    {
        private readonly Lock _lock = new();
        private UpkeepProgress _value;

        public UpkeepProgress Value
        {
            get
            {
                lock (_lock)
                    return _value;
            }
        }

        public void Report(UpkeepProgress value)
        {
            lock (_lock)
                _value = value;
        }
    }
}
