using System.Collections.Concurrent;
using Vitrine.Access;
using Vitrine.Nodes;

namespace Vitrine.Stores;

/// <summary>By which way copies between stores reach them: a store whose server has a second address may have one for that alone.</summary>
/// <remarks>
/// The catalogue is asked at the beginning of each copy, so that a change holds for the next one, on whichever node. A store that was opened
/// by an address which is not its own any more is not closed: copies may be under way.
/// </remarks>
public sealed class SyncRoutes(StoreRegistry stores, IReplicaCatalogue replicas, ThisNode node, TimeProvider time) : IDisposable
{
    private const string Field = "syncAddress";
    private const int LongestAddress = 500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, (Uri Address, IContentStore Contents)> _open = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>What copies read a store by, or write it.</summary>
    /// <exception cref="StoreNotFoundException">This node has no such store.</exception>
    /// <exception cref="StoreUnavailableException">It does not answer by the address for copies.</exception>
    public async Task<IContentStore> FindAsync(string store, CancellationToken cancellationToken)
    {
        var known = await replicas.ListStoresAsync(cancellationToken);
        return known.FirstOrDefault(s => s.Name == store)?.SyncAddress is { } address
            ? await ReachAsync(store, address, cancellationToken) ?? stores.Contents(store)
            : stores.Contents(store);
    }

    /// <summary>Has copies of a store take an address of its server, from the next one on, once the store has answered by it.</summary>
    /// <param name="address">Null for the one that all take.</param>
    /// <exception cref="StoreNotFoundException">No node knows such a store.</exception>
    /// <exception cref="StoreElsewhereException">This node does not reach the store.</exception>
    /// <exception cref="InvalidFieldException">It is no such address, or the store is of a kind that has none.</exception>
    /// <exception cref="StoreUnavailableException">It does not answer by that address, or another store does.</exception>
    public async Task SetAsync(string store, Uri? address, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("set the address by which copies reach a store");
        if ((await replicas.ListStoresAsync(cancellationToken)).All(s => s.Name != store))
            throw new StoreNotFoundException(store);

        if (address is not null)
        {
            stores.CheckReaches(store, node);
            await TryAsync(store, token => ReachAsync(store, address, token), cancellationToken);
        }

        await replicas.SaveSyncAddressAsync(store, address, cancellationToken);
    }

    /// <summary>Looks whether a store answers by an address before it is kept.</summary>
    /// <exception cref="InvalidFieldException">The store is of a kind that has no addresses.</exception>
    /// <exception cref="StoreUnavailableException">It does not answer by that address, or another store does.</exception>
    internal async Task TryAsync(string store, Func<CancellationToken, Task<IContentStore?>> reach, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            if (await reach(either.Token) is null)
                throw new InvalidFieldException(Field, "only a store in a bucket has one");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StoreUnavailableException(store, $"it did not answer by that address within {Patience.TotalSeconds:0} seconds.");
        }
    }

    /// <exception cref="InvalidFieldException">It is no address of a server.</exception>
    public static Uri Parse(string text) =>
        text.Length <= LongestAddress && Uri.TryCreate(text, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
        && address is { UserInfo: "", Query: "", Fragment: "", AbsolutePath: "/" }
            ? address
            : throw new InvalidFieldException(Field, "must be http or https, a host and a port, as https://10.1.0.5:7480");

    public void Dispose() => _one.Dispose();

    private async Task<IContentStore?> ReachAsync(string store, Uri address, CancellationToken cancellationToken)
    {
        if (_open.TryGetValue(store, out var open) && open.Address == address)
            return open.Contents;

        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_open.TryGetValue(store, out open) && open.Address == address)
                return open.Contents;

            var reached = await stores.Contents(store).ReachAsync(address, cancellationToken);
            if (reached is not null)
                _open[store] = (address, reached);
            return reached;
        }
        finally
        {
            _one.Release();
        }
    }
}
