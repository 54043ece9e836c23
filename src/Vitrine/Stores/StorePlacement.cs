using Vitrine.Nodes;

namespace Vitrine.Stores;

/// <summary>Decides which stores receive new content: of all that some node reaches, this one or another.</summary>
public sealed class StorePlacement(StoreRegistry registry, IReplicaCatalogue catalogue, INodeCatalogue nodes, ThisNode node, TimeProvider time)
{
    /// <summary>More than there are zones to spread over is a mistake.</summary>
    private const int MostChosen = 32;

    /// <summary>The stores that are meant, at least one, in the order in which they were named; the default one before others.</summary>
    /// <exception cref="StoreNotFoundException">No store has the name.</exception>
    /// <exception cref="ZoneNotFoundException">No store is in the zone.</exception>
    /// <exception cref="StoreClosedException">One of those that were named takes no new content, or all of those that were meant.</exception>
    public async Task<IReadOnlyList<LibraryStore>> ChooseAsync(StoreChoice? choice, CancellationToken cancellationToken)
    {
        choice ??= new StoreChoice();
        Check(choice);
        var stores = await ListKnownAsync(cancellationToken);
        if (choice.All)
            return AnyOpen(await OrderAsync(stores, isReachedOnly: true, cancellationToken));
        if (choice.Zone is { } zone)
            return [AnyOpen(await OrderAsync(stores.Where(s => s.Zone == zone), isReachedOnly: false, cancellationToken), zone)[0]];

        var names = choice.Names.Count > 0 ? choice.Names.Distinct(StringComparer.Ordinal) : [registry.Default.Name];
        return [.. names.Select(name => Open(stores.FirstOrDefault(s => s.Name == name) ?? throw new StoreNotFoundException(name)))];
    }

    /// <summary>The stores of this node, with what the catalogue knows of them.</summary>
    public async Task<IReadOnlyList<LibraryStore>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await ListKnownAsync(cancellationToken)).Where(s => registry.Has(s.Name))];

    /// <summary>Refuses what a node that reaches the store must do, where there is none.</summary>
    /// <exception cref="StoreUnavailableException">Neither this node nor another that is alive reaches it.</exception>
    internal async Task CheckReachedAsync(string store, CancellationToken cancellationToken)
    {
        if (!(await ListReachedAsync(cancellationToken)).Contains(store))
            throw new StoreUnavailableException(store, "no node that is alive reaches it.");
    }

    /// <summary>Refuses a copy that a node which reaches both stores must make, where there is none.</summary>
    /// <exception cref="StoreUnavailableException">Neither this node nor another that is alive takes transfers and reaches both.</exception>
    internal async Task CheckReachedTogetherAsync(string from, string to, CancellationToken cancellationToken)
    {
        if (!(await ListReachedWithAsync(to, cancellationToken)).Contains(from))
            throw new StoreUnavailableException(from, $"no node that is alive and takes transfers reaches both it and the store '{to}', so that nothing can be copied between them.");
    }

    /// <summary>True for the one of the open stores of its zone that gets what is wanted in the zone: every node says the same.</summary>
    internal async Task<bool> ReceivesForZoneAsync(string store, CancellationToken cancellationToken)
    {
        var known = await catalogue.ListStoresAsync(cancellationToken);
        var reached = (await ListWorkingNodesAsync(cancellationToken)).SelectMany(stores => stores).ToHashSet(StringComparer.Ordinal);
        var first = known.Where(s => s.Mode is StoreMode.Open && s.Zone == known.FirstOrDefault(k => k.Name == store)?.Zone && reached.Contains(s.Name))
            .OrderByDescending(s => s.IsDefault).ThenBy(s => s.Name, StringComparer.Ordinal).FirstOrDefault();
        return first?.Name == store;
    }

    /// <summary>The stores from which some node could copy into this one.</summary>
    internal async Task<IReadOnlyCollection<string>> ListReachedWithAsync(string store, CancellationToken cancellationToken) =>
        [.. (await ListWorkingNodesAsync(cancellationToken)).Where(stores => stores.Contains(store)).SelectMany(stores => stores).Distinct(StringComparer.Ordinal)];

    /// <summary>Every store that a node was ever configured with; those of this one as they are configured here.</summary>
    internal async Task<IReadOnlyList<LibraryStore>> ListKnownAsync(CancellationToken cancellationToken)
    {
        var known = await catalogue.ListStoresAsync(cancellationToken);
        var modes = known.ToDictionary(s => s.Name, s => s.Mode, StringComparer.Ordinal);
        return
        [
            .. registry.All.Select(s => s with { Mode = modes.GetValueOrDefault(s.Name) })
                .Concat(known.Where(s => !registry.Has(s.Name)).Select(s => s with { IsDefault = false }))
                .OrderBy(s => s.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>The default store, then those that this node or another that is alive reaches, then the others where they are wanted.</summary>
    private async Task<IReadOnlyList<LibraryStore>> OrderAsync(
        IEnumerable<LibraryStore> stores, bool isReachedOnly, CancellationToken cancellationToken)
    {
        var reached = await ListReachedAsync(cancellationToken);
        return
        [
            .. stores.Where(s => !isReachedOnly || reached.Contains(s.Name))
                .OrderByDescending(s => s.IsDefault).ThenByDescending(s => reached.Contains(s.Name)),
        ];
    }

    /// <summary>The names of what this node or another that is alive reaches.</summary>
    private async Task<HashSet<string>> ListReachedAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await nodes.ListAsync(cancellationToken)).Where(n => n.IsAlive(now)).SelectMany(n => n.Stores)
            .Concat(registry.All.Select(s => s.Name)).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The stores of each node that takes transfers, this one among them.</summary>
    private async Task<IReadOnlyList<IReadOnlyCollection<string>>> ListWorkingNodesAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        IReadOnlyCollection<string> here = node.Roles.Contains(NodeRole.Transfer) ? [.. registry.All.Select(s => s.Name)] : [];
        return [here, .. (await nodes.ListAsync(cancellationToken)).Where(n => n.Instance != node.Instance && n.TakesWork(now)).Select(n => n.Stores)];
    }

    private static void Check(StoreChoice choice)
    {
        if ((choice.Names.Count > 0 ? 1 : 0) + (choice.Zone is null ? 0 : 1) + (choice.All ? 1 : 0) > 1)
            throw new InvalidFieldException("stores", "are named in one way: by their names, by a zone, or all of them");
        if (choice.Names.Count > MostChosen)
            throw new LimitExceededException("stores of one image", MostChosen);
    }

    private static LibraryStore Open(LibraryStore store) =>
        store.Mode is StoreMode.Open ? store : throw new StoreClosedException(store.Name, store.Mode);

    private static List<LibraryStore> AnyOpen(IReadOnlyList<LibraryStore> stores, string? zone = null)
    {
        if (stores.Count == 0)
            throw new ZoneNotFoundException(zone ?? "");

        var open = stores.Where(s => s.Mode is StoreMode.Open).ToList();
        return open.Count > 0 ? open : throw new StoreClosedException(stores[0].Name, stores[0].Mode);
    }
}
