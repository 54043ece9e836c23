using Vitrine.Access;

namespace Vitrine.Stores;

/// <summary>Upkeep of stores: asked for by administrators, or begun when it is due.</summary>
public sealed class StoreOperations(
    StoreRegistry stores, IStoreOperationCatalogue catalogue, IStoreOperationScheduler scheduler, LibraryOptions options, TimeProvider time)
{
    /// <summary>Slower than this, in bytes a second, a scrub of any real store would not end.</summary>
    public const long LeastRate = 64 * 1024;

    /// <summary>So many operations of a store are remembered.</summary>
    internal const int MostKept = 100;

    internal static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    /// <param name="rate">How many bytes a second a scrub reads at most; null for what the operator decided.</param>
    /// <exception cref="UpkeepNotSupportedException">The store shares nothing among contents.</exception>
    /// <exception cref="StoreBusyException">Another operation of the store is not over.</exception>
    public Task<StoreOperation> RequestAsync(
        string store, StoreOperationKind kind, long? rate, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin($"{kind.Word()} a store");
        if (rate is not null && kind is not StoreOperationKind.Scrub)
            throw new InvalidFieldException("rate", "only a scrub has one");
        if (rate < LeastRate)
            throw new InvalidFieldException("rate", $"must be at least {LeastRate} bytes a second");
        if (stores.Contents(store).Upkeep is null)
            throw new UpkeepNotSupportedException(stores.Choose(store));

        return BeginAsync(store, kind, rate, caller.User, cancellationToken);
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

    /// <summary>Begins what is due in each store of this node, and forgets what nobody needs to know any more.</summary>
    public async Task RequestDueAsync(CancellationToken cancellationToken)
    {
        foreach (var store in stores.All.Select(s => s.Name).Where(name => stores.Contents(name).Upkeep is not null))
        {
            var earlier = await catalogue.ListAsync(store, cancellationToken);
            await catalogue.RemoveAsync([.. Superfluous(earlier, time.GetUtcNow()).Select(o => o.Id)], cancellationToken);
            if (KindDue(earlier) is { } kind)
                await TryBeginAsync(store, kind, cancellationToken);
        }
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

    private StoreOperationKind? KindDue(IReadOnlyList<StoreOperation> earlier)
    {
        if (earlier.Any(o => !o.IsOver))
            return null;
        if (IsDue(StoreOperationKind.Collect, options.CollectionInterval))
            return StoreOperationKind.Collect;

        return options.ScrubInterval is { } interval && IsDue(StoreOperationKind.Scrub, interval) ? StoreOperationKind.Scrub : null;

        bool IsDue(StoreOperationKind kind, TimeSpan interval) =>
            earlier.FirstOrDefault(o => o.Kind == kind) is not { } last || time.GetUtcNow() - last.CreatedAt >= interval;
    }

    private async Task TryBeginAsync(string store, StoreOperationKind kind, CancellationToken cancellationToken)
    {
        try
        {
            await BeginAsync(store, kind, rate: null, user: null, cancellationToken);
        }
        catch (StoreBusyException)
        {
            // Somebody has asked for something meanwhile; what is due is due at the next turn too.
        }
    }

    private async Task<StoreOperation> BeginAsync(
        string store, StoreOperationKind kind, long? rate, UserId? user, CancellationToken cancellationToken)
    {
        var operation = new StoreOperation
        {
            Id = StoreOperationId.New(),
            Store = store,
            Kind = kind,
            User = user,
            Rate = kind is StoreOperationKind.Scrub ? rate ?? options.ScrubRate : null,
            CreatedAt = time.Now(),
        };
        var saved = await catalogue.SaveAsync(operation, cancellationToken);
        await scheduler.ScheduleAsync(saved.Id, cancellationToken);
        return saved;
    }
}
