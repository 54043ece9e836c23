using Vitrine.Client;
using Vitrine.Stores;

namespace Vitrine.Server.Rest;

/// <summary>Looks at stores: what the catalogue says is in them, and what they themselves say now.</summary>
internal sealed class StoreSurvey(IReplicaCatalogue catalogue, StoreRegistry registry, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task<StoreRecord> OfAsync(LibraryStore store, CancellationToken cancellationToken)
    {
        var use = await catalogue.MeasureAsync(store.Name, cancellationToken);
        var retired = await catalogue.ListRetiredAsync(store.Name, cancellationToken);
        var (healthy, problem, capacity, stored) = await LookAsync(store.Name, cancellationToken);
        return new StoreRecord
        {
            Name = store.Name,
            Zone = store.Zone,
            Kind = store.Kind,
            Description = store.Description,
            IsDefault = store.IsDefault,
            Mode = store.Mode.Word(),
            Convert = registry.All.FirstOrDefault(s => s.Name == store.Name)?.Conversion.Targets.ToDictionary(t => t.Key.Word(), t => t.Value.Word()),
            Healthy = healthy,
            Problem = problem,
            Total = capacity?.Total,
            Free = capacity?.Free,
            Images = use.Replicas,
            RetiredImages = retired.Count,
            RetiredBytes = retired.Sum(r => r.Size ?? 0),
            LogicalBytes = use.Logical,
            StoredBytes = stored ?? use.Stored,
        };
    }

    private async Task<(bool? Healthy, string? Problem, StoreCapacity? Capacity, long? Stored)> LookAsync(
        string name, CancellationToken cancellationToken)
    {
        // Another zone's store can only be asked by the nodes there.
        if (!registry.All.Any(s => s.Name == name))
            return (null, null, null, null);

        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var contents = registry.Contents(name);
            await contents.ProbeAsync(either.Token).WaitAsync(either.Token);
            var capacity = await contents.MeasureAsync(either.Token).WaitAsync(either.Token);
            return (true, null, capacity, contents.Upkeep is { } upkeep ? await upkeep.MeasureStoredAsync(either.Token).WaitAsync(either.Token) : null);
        }
        catch (LibraryException failure)
        {
            return (false, failure.Message, null, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (false, $"The store did not answer within {Patience.TotalSeconds:0} seconds.", null, null);
        }
    }
}
