using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Work on whole stores: asked for by administrators, or begun when it is due.</summary>
public sealed class StoreOperations(
    StoreRegistry stores, StorePlacement placement, IReplicaCatalogue replicas, IReplicationCatalogue replications, IStoreOperationCatalogue catalogue,
    IStoreOperationScheduler scheduler, LibraryOptions options, TimeProvider time)
{
    /// <summary>Slower than this, in bytes a second, a scrub of any real store would not end.</summary>
    public const long LeastRate = 64 * 1024;

    /// <summary>So many operations of a store are remembered.</summary>
    internal const int MostKept = 100;

    /// <summary>So many images one by one; more are synchronised as a whole.</summary>
    public const int MostImages = 1000;

    internal const string NothingToCollect = "it shares nothing among images, so there is nothing to collect.";

    internal static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    /// <summary>Has some node that reaches the store work on it, this one or another.</summary>
    /// <exception cref="StoreNotFoundException">There is no such store, or one of the sources is none.</exception>
    /// <exception cref="StoreUnavailableException">No living node reaches the store, or both it and one of the sources.</exception>
    /// <exception cref="ReplicaNotFoundException">One of the images is in none of the sources.</exception>
    /// <exception cref="UpkeepNotSupportedException">The store is this node's, and shares nothing among contents. Of another's, the operation fails.</exception>
    /// <exception cref="StoreClosedException">The store takes no new content.</exception>
    /// <exception cref="StoreBusyException">Another operation of the store, of this kind or this sort, is not over.</exception>
    public async Task<StoreOperation> RequestAsync(string store, StoreTask task, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin($"{task.Kind.Word()} a store");
        Check(store, task, [.. (await placement.ListKnownAsync(cancellationToken)).Select(s => s.Name)]);
        await placement.CheckReachedAsync(store, cancellationToken);
        if (task.Kind is StoreOperationKind.Sync)
            await CheckSyncAsync(store, task, cancellationToken);

        return await BeginAsync(store, task, caller.User, cancellationToken);
    }

    /// <summary>Opens a store to new content, or closes it.</summary>
    /// <exception cref="StoreNotFoundException">No node knows such a store.</exception>
    public async Task SetModeAsync(string store, StoreMode mode, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("open or close a store");
        if ((await replicas.ListStoresAsync(cancellationToken)).All(s => s.Name != store))
            throw new StoreNotFoundException(store);

        await replicas.SaveModeAsync(store, mode, cancellationToken);
    }

    /// <summary>All that are remembered of a store, the newest first.</summary>
    public Task<IReadOnlyList<StoreOperation>> ListAsync(string store, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("see what is done to a store");
        return catalogue.ListAsync(store, cancellationToken);
    }

    /// <exception cref="StoreOperationNotFoundException">The store has none with this id.</exception>
    public async Task<StoreOperation> GetAsync(string store, StoreOperationId id, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("see what is done to a store");
        return await catalogue.FindAsync(id, cancellationToken) is { } found && found.Store == store
            ? found
            : throw new StoreOperationNotFoundException(id.ToString());
    }

    /// <summary>Begins what is due in a store of this node, and forgets what nobody needs to know any more.</summary>
    public async Task RequestDueAsync(string store, CancellationToken cancellationToken)
    {
        var earlier = await catalogue.ListAsync(store, cancellationToken);
        await catalogue.RemoveAsync([.. Superfluous(earlier, time.GetUtcNow()).Select(o => o.Id)], cancellationToken);
        if (KindDue(earlier, isShared: stores.Contents(store).Upkeep is not null) is { } kind)
            await TryBeginAsync(store, kind, cancellationToken);
    }

    /// <summary>
    /// Operations that are over, and old, too many, or a collection that found nothing and is not the last. The last of each kind stays:
    /// the next is due by it.
    /// </summary>
    /// <param name="operations">The newest first.</param>
    internal static IEnumerable<StoreOperation> Superfluous(IReadOnlyList<StoreOperation> operations, DateTimeOffset now)
    {
        var last = operations.DistinctBy(o => o.Kind).Select(o => o.Id).ToHashSet();
        return operations.Where((operation, i) => operation.IsOver && !last.Contains(operation.Id)
            && (i >= MostKept || operation.IsQuiet || now - operation.CreatedAt >= Lifetime));
    }

    /// <param name="isShared">Contents share parts, which somebody has to collect.</param>
    private StoreOperationKind? KindDue(IReadOnlyList<StoreOperation> earlier, bool isShared)
    {
        if (earlier.Any(o => !o.IsOver && o.Kind is (StoreOperationKind.Collect or StoreOperationKind.Scrub)))
            return null;
        if (isShared && IsDue(StoreOperationKind.Collect, options.CollectionInterval))
            return StoreOperationKind.Collect;

        return options.ScrubInterval is { } interval && IsDue(StoreOperationKind.Scrub, interval) ? StoreOperationKind.Scrub : null;

        bool IsDue(StoreOperationKind kind, TimeSpan interval) =>
            earlier.FirstOrDefault(o => o.Kind == kind) is not { } last || time.GetUtcNow() - last.CreatedAt >= interval;
    }

    private async Task TryBeginAsync(string store, StoreOperationKind kind, CancellationToken cancellationToken)
    {
        try
        {
            await BeginAsync(store, new StoreTask(kind), user: null, cancellationToken);
        }
        catch (StoreBusyException)
        {
            // Somebody has asked for something meanwhile; what is due is due at the next turn too.
        }
    }

    private async Task CheckSyncAsync(string store, StoreTask task, CancellationToken cancellationToken)
    {
        await placement.ChooseAsync(StoreChoice.Of(store), cancellationToken);
        foreach (var source in task.Sources)
            await placement.CheckReachedTogetherAsync(source, store, cancellationToken);
        if (task.Moves)
            await CheckUnwantedAsync(task.Sources, cancellationToken);

        var there = (await replicas.ListAsync(task.Images, cancellationToken))
            .Where(r => r.State is ReplicaState.Ready && task.Sources.Contains(r.Store)).Select(r => r.Image).ToHashSet();
        foreach (var image in task.Images.Where(i => !there.Contains(i)))
            throw new ReplicaNotFoundException(image, string.Join("' or '", task.Sources));
    }

    /// <summary>What moves out of an open store that others replicate to would be there again at once.</summary>
    private async Task CheckUnwantedAsync(IReadOnlyList<string> sources, CancellationToken cancellationToken)
    {
        var open = (await replicas.ListStoresAsync(cancellationToken)).Where(s => s.Mode is StoreMode.Open).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        if ((await replications.ListRulesAsync(cancellationToken)).FirstOrDefault(r => sources.Contains(r.Target) && open.Contains(r.Target)) is { } rule)
            throw new InvalidFieldException("sources", $"name the store '{rule.Target}', which would get its images again: it is open, and the store '{rule.Store}' replicates to it");
    }

    /// <param name="known">The names of all stores.</param>
    private void Check(string store, StoreTask task, HashSet<string> known)
    {
        if (task.Rate is not null && task.Kind is not StoreOperationKind.Scrub)
            throw new InvalidFieldException("rate", "only a scrub has one");
        if (task.Rate < LeastRate)
            throw new InvalidFieldException("rate", $"must be at least {LeastRate} bytes a second");
        if ((task.Sources.Count > 0) != task.Kind is StoreOperationKind.Sync)
            throw new InvalidFieldException("sources", "are what a sync copies from, and nothing else has any");
        if (task.Moves && task.Kind is not StoreOperationKind.Sync)
            throw new InvalidFieldException("move", "only a sync can move images");
        if (task.Images.Count > 0 && task.Kind is not StoreOperationKind.Sync)
            throw new InvalidFieldException("images", "only a sync is of some images");
        if (task.Images.Count > MostImages)
            throw new LimitExceededException("images of one sync", MostImages);
        if (task.Sources.Contains(store))
            throw new InvalidFieldException("sources", "a store is not copied into itself");
        if (task.Kind is StoreOperationKind.Cleanup != task.IsConfirmed)
            throw new InvalidFieldException("confirm", "says that what a clean-up removes may be lost for good: a clean-up needs it, and nothing else does");
        if (task.Sources.Prepend(store).FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new StoreNotFoundException(unknown);
        if (task.Kind is StoreOperationKind.Collect && stores.Has(store) && stores.Contents(store).Upkeep is null)
            throw new UpkeepNotSupportedException(stores.Choose(store), NothingToCollect);
    }

    private async Task<StoreOperation> BeginAsync(string store, StoreTask task, UserId? user, CancellationToken cancellationToken)
    {
        var operation = new StoreOperation
        {
            Id = StoreOperationId.New(),
            Store = store,
            Kind = task.Kind,
            User = user,
            Rate = task.Kind is StoreOperationKind.Scrub ? task.Rate ?? options.ScrubRate : null,
            Sources = [.. task.Sources.Distinct(StringComparer.Ordinal)],
            Moves = task.Moves,
            Images = [.. task.Images.Distinct()],
            CreatedAt = time.Now(),
        };
        var saved = await catalogue.SaveAsync(operation, cancellationToken);
        await scheduler.ScheduleAsync(saved.Id, cancellationToken);
        return saved;
    }
}

/// <summary>What is asked of a store.</summary>
/// <param name="Rate">How many bytes a second a scrub reads at most; null for what the operator decided.</param>
/// <param name="IsConfirmed">The caller knows that a clean-up removes content for good.</param>
public sealed record StoreTask(StoreOperationKind Kind, long? Rate = null, bool Moves = false, bool IsConfirmed = false)
{
    /// <summary>The stores that a sync copies from.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>The images that a sync is about; none for all that the sources have.</summary>
    public IReadOnlyList<ImageId> Images { get; init; } = [];
}
