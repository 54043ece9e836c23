using System.Collections.Immutable;
using Vitrine.Content;
using Vitrine.Nodes;

namespace Vitrine.Stores;

/// <summary>The stores that this node reaches, by name: those that it is configured with, and those that were added since.</summary>
public sealed class StoreRegistry
{
    /// <summary>Enough for what others write between two looks at what is free.</summary>
    private const long LargestReserve = 1L << 30;
    private const int ReservedPart = 20;

    private ImmutableDictionary<string, (LibraryStore Store, IContentStore Contents)> _stores;

    /// <exception cref="ArgumentException">Not exactly one store is the default.</exception>
    public StoreRegistry(IEnumerable<(LibraryStore Store, IContentStore Contents)> stores)
    {
        _stores = stores.ToImmutableDictionary(s => s.Store.Name, StringComparer.Ordinal);
        if (_stores.Values.Count(s => s.Store.IsDefault) != 1)
            throw new ArgumentException("Exactly one store must be the default.", nameof(stores));
    }

    public IReadOnlyCollection<LibraryStore> All => [.. _stores.Values.Select(s => s.Store).OrderBy(s => s.Name, StringComparer.Ordinal)];

    public LibraryStore Default => _stores.Values.First(s => s.Store.IsDefault).Store;

    /// <summary>From now on the node reaches this one too.</summary>
    /// <exception cref="ArgumentException">It reaches one of this name, or has its default store.</exception>
    public void Add(LibraryStore store, IContentStore contents)
    {
        if (store.IsDefault || !ImmutableInterlocked.TryAdd(ref _stores, store.Name, (store, contents)))
            throw new ArgumentException($"There is a default store, or one with the name '{store.Name}'.", nameof(store));
    }

    public bool Has(string name) => _stores.ContainsKey(name);

    /// <summary>The store with this name, or the default one where there is no name.</summary>
    /// <exception cref="StoreNotFoundException">No store has the name.</exception>
    public LibraryStore Choose(string? name) =>
        name is null ? Default : _stores.TryGetValue(name, out var found) ? found.Store : throw new StoreNotFoundException(name);

    /// <exception cref="StoreNotFoundException">No store has the name.</exception>
    public IContentStore Contents(string name) =>
        _stores.TryGetValue(name, out var found) ? found.Contents : throw new StoreNotFoundException(name);

    /// <exception cref="StoreElsewhereException">Another node has the store, and this one has not.</exception>
    public void CheckReaches(string store, ThisNode node)
    {
        if (!Has(store))
            throw new StoreElsewhereException(store, node.Name);
    }

    /// <summary>Refuses content of a known length that the store has no room for, before it is full: some stays free for what others write meanwhile.</summary>
    /// <exception cref="StoreFullException">There is less free space than the content needs, beside the reserve.</exception>
    public async Task CheckRoomAsync(string store, long? needed, CancellationToken cancellationToken)
    {
        var capacity = await Contents(store).MeasureAsync(cancellationToken);
        if (needed > capacity.Free - ReserveOf(capacity))
            throw new StoreFullException(store, needed + ReserveOf(capacity), capacity.Free);
    }

    /// <summary>Refuses to go on with content whose length nobody knows, before it takes the room that others need.</summary>
    /// <exception cref="StoreFullException">Little of the store is free.</exception>
    public async Task CheckReserveAsync(string store, CancellationToken cancellationToken)
    {
        var capacity = await Contents(store).MeasureAsync(cancellationToken);
        if (capacity.Free < ReserveOf(capacity))
            throw new StoreFullException(store, needed: null, capacity.Free);
    }

    /// <summary>Reads a content whole, before another place gives it up.</summary>
    /// <returns>Null where the store gives it back as it was written; else why it does not, as a sentence.</returns>
    internal async Task<string?> FindFaultAsync(string store, Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            await using var reader = await Contents(store).OpenAsync(digest, cancellationToken);
            return await reader.DigestAsync(cancellationToken) == digest ? null : new StoreDamagedException(store, $"content {digest}").Message;
        }
        catch (LibraryException failure)
        {
            return failure.Message;
        }
    }

    private static long ReserveOf(StoreCapacity capacity) => capacity.Total is { } total ? Math.Min(LargestReserve, total / ReservedPart) : 0;
}
