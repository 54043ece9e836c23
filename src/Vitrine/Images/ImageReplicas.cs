using Vitrine.Access;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Images;

/// <summary>In which stores an image is: copied to others, moved, and taken out of one.</summary>
public sealed class ImageReplicas(
    ImageLibrary library, IImageCatalogue images, IReplicaCatalogue replicas, IReplicationCatalogue replications, ITransferCatalogue transfers,
    ICatalogue catalogue, ITransferScheduler scheduler, StorePlacement placement, ContentSweeper sweeper, TimeProvider time)
{
    private const int MaxCrossings = 10;

    /// <summary>Begins to copy an active image to stores that do not have it, each by a transfer of its own. Answers at once.</summary>
    /// <remarks>Of stores that were not named one by one, those that have the image are left out.</remarks>
    /// <exception cref="ReplicaExistsException">Each of the stores has the image, or one of those that were named.</exception>
    /// <exception cref="ReplicaNotFoundException">The store that it is to be copied from does not have it.</exception>
    /// <exception cref="ReplicaWantedException">It is to be moved out of a store in which the library itself wants it.</exception>
    public async Task<IReadOnlyList<Transfer>> CopyAsync(ImageId id, CopyRequest request, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("copy an image");
        if (request.Moves)
            caller.RequireAdmin("move an image to another store");

        var stores = await placement.ChooseAsync(request.To, cancellationToken);
        if (request.Moves && stores.Count != 1)
            throw new InvalidFieldException("stores", "an image is moved to one store");

        return await BeginAsync(id, stores, request, caller, cancellationToken);
    }

    /// <summary>Takes an image out of one store, whose space is freed where no other image needs it.</summary>
    /// <exception cref="ReplicaNotFoundException">The store does not have it.</exception>
    /// <exception cref="LastReplicaException">No other store has its content.</exception>
    /// <exception cref="ReplicaWantedException">The library itself wants it there.</exception>
    /// <exception cref="ImageProtectedException">It is protected.</exception>
    public async Task DeleteAsync(ImageId id, string store, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("delete an image from a store");
        for (var crossings = 0; ; crossings++)
        {
            var image = await library.GetOwnAsync(id, caller, cancellationToken);
            if (image.Protected)
                throw new ImageProtectedException(id);

            var all = await replicas.ListAsync([id], cancellationToken);
            var replica = all.FirstOrDefault(r => r.Store == store) ?? throw new ReplicaNotFoundException(id, store);
            if (replica.State is ReplicaState.Receiving)
                throw new ReplicaExpectedException(id, store);
            if (replica.State is ReplicaState.Ready && all.Count(r => r.State is ReplicaState.Ready) == 1)
                throw new LastReplicaException(id, store);
            if (replica.State is ReplicaState.Ready)
                await CheckUnwantedAsync(image, store, ReadyIn(all), cancellationToken);

            try
            {
                await catalogue.SaveAsync(new CatalogueChange { Image = image, WithoutReplicasIn = [store] }, cancellationToken);
            }
            catch (ConcurrentChangeException) when (crossings < MaxCrossings)
            {
                continue;
            }

            if (replica.Digest is { } digest)
                await sweeper.TryFreeAsync(store, digest);
            return;
        }
    }

    /// <summary>The same as <see cref="CopyAsync"/> where an operation of a store wants it.</summary>
    /// <returns>False where the image is there or on its way, or is none any more that can be copied.</returns>
    internal async Task<bool> TryCopyAsync(ImageId id, StoreOperation operation, string from, CancellationToken cancellationToken)
    {
        while (await images.FindAsync(id, cancellationToken) is { Status: ImageStatus.Active, Content: { } content } image)
        {
            var all = await replicas.ListAsync([id], cancellationToken);
            if (all.Any(r => r.Store == operation.Store && r.State is ReplicaState.Ready or ReplicaState.Receiving))
                return false;

            var copy = TransferChanges.NewCopy(image, content, operation.Store, time.Now()) with
            {
                SourceStore = from,
                MovesFrom = operation.Moves ? from : null,
                Operation = operation.Id,
                User = operation.User,
            };
            try
            {
                await catalogue.SaveAsync(TransferChanges.Begin(image, [copy], all, time.Now()), cancellationToken);
                await scheduler.ScheduleAsync(copy.Id, cancellationToken);
                return true;
            }
            catch (ConcurrentChangeException)
            {
                // The image was changed at this moment: look again.
            }
        }

        return false;
    }

    /// <summary>The same where the library itself wants it: a copy, or once more the one that failed.</summary>
    /// <param name="isWithinQuota">Its project must have room for it; a copy that it has none for is a failed one.</param>
    internal async Task ReplicateAsync(ImageId id, string store, bool isWithinQuota, CancellationToken cancellationToken)
    {
        while (await images.FindAsync(id, cancellationToken) is { Status: ImageStatus.Active, Content: { } content } image)
        {
            var all = await replicas.ListAsync([id], cancellationToken);
            if (all.Any(r => r.Store == store && r.State is ReplicaState.Ready or ReplicaState.Receiving))
                return;

            var copy = await FindFailedAsync(image, store, cancellationToken) ?? TransferChanges.NewCopy(image, content, store, time.Now());
            try
            {
                await catalogue.SaveAsync(
                    TransferChanges.Begin(image, [copy], all, time.Now()) with { Within = isWithinQuota ? [QuotaResource.Size] : [] }, cancellationToken);
                await scheduler.ScheduleAsync(copy.Id, cancellationToken);
                return;
            }
            catch (QuotaExceededException over)
            {
                var failure = new TransferFailure(over.Code, TransferSteps.Waiting, over.Message, over.Remedy, Node: null, time.Now());
                if (await TrySaveAsync(TransferChanges.End(copy.Fail(failure, time.Now()), image, all, time.Now()), cancellationToken))
                    return;
            }
            catch (ConcurrentChangeException)
            {
                // The image was changed at this moment: look again.
            }
        }
    }

    /// <summary>Leaves what an image has in a store to the clean-up, where another store has it, too.</summary>
    internal async Task GiveUpAsync(ImageId id, string store, string other, CancellationToken cancellationToken)
    {
        while (await images.FindAsync(id, cancellationToken) is { Status: not ImageStatus.Deleted } image)
        {
            var ready = (await replicas.ListAsync([id], cancellationToken)).Where(r => r.State is ReplicaState.Ready).ToList();
            if (ready.Find(r => r.Store == store) is not { } replica || !ready.Exists(r => r.Store == other))
                return;

            try
            {
                var retired = replica with { State = ReplicaState.Retired, UpdatedAt = time.Now() };
                await catalogue.SaveAsync(new CatalogueChange { Image = image, Replicas = [retired] }, cancellationToken);
                return;
            }
            catch (ConcurrentChangeException)
            {
                // The image was changed at this moment: look again.
            }
        }
    }

    private async Task<IReadOnlyList<Transfer>> BeginAsync(
        ImageId id, IReadOnlyList<LibraryStore> stores, CopyRequest request, Caller caller, CancellationToken cancellationToken)
    {
        for (var crossings = 0; ; crossings++)
        {
            var image = await library.GetOwnAsync(id, caller, cancellationToken);
            var all = await replicas.ListAsync([id], cancellationToken);
            var copies = Prepare(image, all, stores, request, caller);
            if (copies is [{ MovesFrom: { } left } move])
                await CheckUnwantedAsync(image, left, [.. ReadyIn(all), move.Store], cancellationToken);
            try
            {
                var begun = TransferChanges.Begin(image, copies, all, time.Now());
                await catalogue.SaveAsync(begun with { Within = [QuotaResource.Uploading, QuotaResource.Size] }, cancellationToken);
            }
            catch (ConcurrentChangeException) when (crossings < MaxCrossings)
            {
                continue;
            }

            foreach (var copy in copies)
                await scheduler.ScheduleAsync(copy.Id, cancellationToken);
            return [.. copies.Select(c => c with { Version = 1 })];
        }
    }

    private List<Transfer> Prepare(
        Image image, IReadOnlyList<Replica> all, IReadOnlyList<LibraryStore> stores, CopyRequest request, Caller caller)
    {
        if (image is not { Status: ImageStatus.Active, Content: { } content })
            throw new ImageStatusException(image.Id, image.Status, ImageStatus.Active);
        if (request.From is { } from && !all.Any(r => r.Store == from && r.State is ReplicaState.Ready))
            throw new ReplicaNotFoundException(image.Id, from);

        var there = all.Where(r => r.State is ReplicaState.Ready or ReplicaState.Receiving).Select(r => r.Store).ToHashSet(StringComparer.Ordinal);
        var missing = stores.Where(s => !there.Contains(s.Name)).ToList();
        if (missing.Count == 0 || (missing.Count < stores.Count && !request.To.All))
            throw new ReplicaExistsException(image.Id, stores.Select(s => s.Name).Where(there.Contains));

        return
        [
            .. missing.Select(store => TransferChanges.NewCopy(image, content, store.Name, time.Now()) with
            {
                SourceStore = request.From,
                MovesFrom = request.Moves ? SourceOfMove(image, all, request) : null,
                User = caller.User,
                RequestId = request.RequestId,
            }),
        ];
    }

    /// <summary>The last copy of an image to a store, where it failed or was cancelled, to be tried again for nobody: what else was wanted of it then is not wanted now.</summary>
    private async Task<Transfer?> FindFailedAsync(Image image, string store, CancellationToken cancellationToken)
    {
        var query = new TransferQuery { Image = image.Id, Kinds = [TransferKind.Copy], Store = store, Limit = 1 };
        return await transfers.ListAsync(query, cancellationToken) is [{ State: TransferState.Failed or TransferState.Cancelled } failed]
            ? failed.Requeue() with { Project = image.Owner, User = null, RequestId = null, Operation = null, SourceStore = null, MovesFrom = null }
            : null;
    }

    /// <param name="having">The stores that have the image, or will.</param>
    private async Task CheckUnwantedAsync(Image image, string store, IReadOnlyCollection<string> having, CancellationToken cancellationToken)
    {
        var known = await placement.ListKnownAsync(cancellationToken);
        if (known.FirstOrDefault(s => s.Name == store) is not { Mode: StoreMode.Open } here)
            return;

        var others = having.Where(name => name != store).ToHashSet(StringComparer.Ordinal);
        if (image.AllZones && !known.Any(s => s.Zone == here.Zone && others.Contains(s.Name)))
            throw new ReplicaWantedException(image.Id, store, $"every zone is to have it, and no other store of the zone '{here.Zone}' does.");
        if ((await replications.ListRulesAsync(cancellationToken)).FirstOrDefault(r => r.Target == store && others.Contains(r.Store)) is { } rule)
            throw new ReplicaWantedException(image.Id, store, $"the store '{rule.Store}', which has it, replicates to this one.");
    }

    private static List<string> ReadyIn(IReadOnlyList<Replica> all) => [.. all.Where(r => r.State is ReplicaState.Ready).Select(r => r.Store)];

    /// <returns>False where the image was changed at this moment.</returns>
    private async Task<bool> TrySaveAsync(CatalogueChange change, CancellationToken cancellationToken)
    {
        try
        {
            await catalogue.SaveAsync(change, cancellationToken);
            return true;
        }
        catch (ConcurrentChangeException)
        {
            return false;
        }
    }

    private static string SourceOfMove(Image image, IReadOnlyList<Replica> all, CopyRequest request) =>
        request.From ?? (all.Where(r => r.State is ReplicaState.Ready).ToList() is [var only]
            ? only.Store
            : throw new InvalidFieldException("from", $"is needed: image {image.Id} is in several stores"));
}

/// <summary>What is asked of a copy.</summary>
/// <param name="From">The store that it is read from; null for any that has it.</param>
/// <param name="Moves">The replica that it is made of is given up then: it stays until an operator confirms that it can go.</param>
/// <param name="RequestId">The name of the request that asks, for finding it again in logs.</param>
public sealed record CopyRequest(StoreChoice To, string? From = null, bool Moves = false, string? RequestId = null);
