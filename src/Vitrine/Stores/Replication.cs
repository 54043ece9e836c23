using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Stores;

/// <summary>Copies by themselves into a store what is wanted there: the images that every zone is to have, and all of the stores that replicate to it.</summary>
/// <remarks>
/// Nothing is remembered of what was begun: at each look the catalogue says what is missing now, so a zone or a store that is added gets what the
/// others have, one that was away catches up, and nothing that an error or a crash lost stays lost.
/// </remarks>
public sealed class Replication(
    IReplicationCatalogue catalogue, IReplicaCatalogue replicas, ITransferCatalogue transfers, ImageReplicas copies, StorePlacement placement, TimeProvider time)
{
    private const string Field = "replicatesTo";

    /// <summary>To more stores, one replicates by way of others.</summary>
    private const int MostTargets = 32;

    /// <summary>So many copies are under way to one store before more are begun, so that what users ask for does not wait behind all images of a new zone.</summary>
    private const int MostAtOnce = 8;

    /// <summary>A copy that failed in spite of its own attempts, or was cancelled, is tried again after this long.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Begins the copies that a store of this node lacks; the next look goes on.</summary>
    public async Task RunAsync(string store, CancellationToken cancellationToken)
    {
        var known = await placement.ListKnownAsync(cancellationToken);
        if (known.FirstOrDefault(s => s.Name == store) is not { Mode: StoreMode.Open })
            return;

        var sources = await placement.ListReachedWithAsync(store, cancellationToken);
        var query = new ReplicationQuery(store, sources, time.GetUtcNow() - Patience, MostAtOnce);
        var missing = await catalogue.ListMissingAsync(query, cancellationToken);
        var missingInZone = await placement.ReceivesForZoneAsync(store, cancellationToken) ? await catalogue.ListMissingInZoneAsync(query, cancellationToken) : [];
        if (missing.Count + missingInZone.Count == 0)
            return;

        var room = MostAtOnce - await CountUnderWayAsync(store, sources, cancellationToken);
        foreach (var id in missing.Union(missingInZone).Take(room))
            await copies.ReplicateAsync(id, store, isWithinQuota: !missing.Contains(id), cancellationToken);
    }

    /// <summary>Has other stores get all that a store has and will have, in the place of those that do so far.</summary>
    /// <param name="targets">None to end it: what was copied stays.</param>
    /// <exception cref="StoreNotFoundException">The store, or one of the others, is none.</exception>
    /// <exception cref="InvalidFieldException">It is among the others itself.</exception>
    /// <exception cref="LimitExceededException">There are too many.</exception>
    public async Task SetTargetsAsync(string store, IReadOnlyCollection<string> targets, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("have a store replicate to others");
        await CheckTargetsAsync(store, targets, cancellationToken);
        await catalogue.SaveTargetsAsync(store, targets, cancellationToken);
    }

    /// <summary>Refuses what <see cref="SetTargetsAsync"/> refuses.</summary>
    public async Task CheckTargetsAsync(string store, IReadOnlyCollection<string> targets, CancellationToken cancellationToken)
    {
        if (targets.Count > MostTargets)
            throw new LimitExceededException("stores that one replicates to", MostTargets);
        if (targets.Contains(store))
            throw new InvalidFieldException(Field, "names the store itself");
        if (targets.Any(string.IsNullOrEmpty))
            throw new InvalidFieldException(Field, "has something that is no name of a store");

        var known = (await replicas.ListStoresAsync(cancellationToken)).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        if (targets.Prepend(store).FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new StoreNotFoundException(unknown);
    }

    /// <summary>The copies that come to a store; those are left out which no node can make now, and that may wait for long.</summary>
    private async Task<int> CountUnderWayAsync(string store, IReadOnlyCollection<string> sources, CancellationToken cancellationToken)
    {
        var living = await transfers.ListAsync(
            new TransferQuery { Kinds = [TransferKind.Copy], Store = store, States = Transfer.LivingStates, Limit = int.MaxValue }, cancellationToken);
        var reached = (await replicas.ListAsync([.. living.Select(t => t.Image)], cancellationToken))
            .Where(r => r.State is ReplicaState.Ready or ReplicaState.Retired && sources.Contains(r.Store)).Select(r => r.Image).ToHashSet();
        return living.Count(t => reached.Contains(t.Image));
    }
}
