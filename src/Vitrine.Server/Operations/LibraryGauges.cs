using System.Diagnostics.Metrics;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Server.Operations;

/// <summary>Figures that are asked of the catalogue and the stores when somebody looks.</summary>
internal sealed class LibraryGauges : IDisposable
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    private readonly ITransferCatalogue _transfers;
    private readonly IReplicaCatalogue _replicas;
    private readonly StoreRegistry _stores;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _one = new(1);
    private volatile Figures _figures = new([], [], DateTimeOffset.MinValue);

    public LibraryGauges(
        ITransferCatalogue transfers, IReplicaCatalogue replicas, StoreRegistry stores, TimeProvider time, IMeterFactory meters)
    {
        (_transfers, _replicas, _stores, _time) = (transfers, replicas, stores, time);
        var meter = meters.Create("Vitrine");
        meter.CreateObservableGauge("vitrine.transfers", () => _figures.Transfers, description: "Transfers that are not over, by state.");
        meter.CreateObservableGauge("vitrine.store", () => _figures.Stores, "By", "Bytes of each store: total, free, logical (of all images) and stored (of distinct contents).");
    }

    /// <summary>Asks again, unless the figures are fresh.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_time.GetUtcNow() - _figures.At >= Freshness)
                _figures = new Figures(await CountAsync(cancellationToken), await MeasureAsync(cancellationToken), _time.GetUtcNow());
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<Measurement<long>[]> CountAsync(CancellationToken cancellationToken)
    {
        TransferState[] states = [TransferState.Queued, TransferState.Running, TransferState.Verifying, TransferState.Retrying];
        var living = await _transfers.ListAsync(new TransferQuery { States = states, Limit = int.MaxValue }, cancellationToken);
        return [.. states.Select(state => new Measurement<long>(living.Count(t => t.State == state), new KeyValuePair<string, object?>("state", state.Word())))];
    }

    private async Task<Measurement<long>[]> MeasureAsync(CancellationToken cancellationToken)
    {
        var figures = new List<Measurement<long>>();
        foreach (var store in _stores.All)
        {
            var use = await _replicas.MeasureAsync(store.Name, cancellationToken);
            Add("logical", use.Logical);
            try
            {
                var contents = _stores.Contents(store.Name);
                Add("stored", contents.Upkeep is { } upkeep ? await upkeep.MeasureStoredAsync(cancellationToken) : use.Stored);
                var capacity = await contents.MeasureAsync(cancellationToken);
                Add("total", capacity.Total);
                Add("free", capacity.Free);
            }
            catch (StoreUnavailableException)
            {
                // Its capacity is missing from the figures, which is what an alarm goes by.
            }

            void Add(string kind, long? bytes)
            {
                if (bytes is { } known)
                    figures.Add(new Measurement<long>(known, new("store", store.Name), new KeyValuePair<string, object?>("kind", kind)));
            }
        }

        return [.. figures];
    }

    private sealed record Figures(Measurement<long>[] Transfers, Measurement<long>[] Stores, DateTimeOffset At);
}
