using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Vitrine.Access;
using Vitrine.Nodes;

namespace Vitrine.Stores;

/// <summary>Stores that administrators add while the library runs. The catalogue has them, and every node of their zone opens them.</summary>
public sealed partial class AddedStores : IDisposable
{
    /// <summary>Each is opened, swept and looked at by every node of its zone.</summary>
    public const int Most = 100;

    private const int LongestDescription = 1000;
    private const int MostSettings = 50;
    private const int LongestSetting = 4000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IAddedStoreCatalogue _catalogue;
    private readonly IReplicaCatalogue _replicas;
    private readonly IStoreOpener _opener;
    private readonly StoreRegistry _registry;
    private readonly SyncRoutes _routes;
    private readonly ISecretProtector _secrets;
    private readonly ThisNode _node;
    private readonly TimeProvider _time;
    private readonly ILogger<AddedStores> _logger;
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Why stores could not be opened here, so that it is logged once.</summary>
    private readonly ConcurrentDictionary<string, string> _closed = new(StringComparer.Ordinal);

    public AddedStores(
        IAddedStoreCatalogue catalogue, IReplicaCatalogue replicas, IStoreOpener opener, StoreRegistry registry, SyncRoutes routes, ISecretProtector secrets,
        ThisNode node, TimeProvider time, ILogger<AddedStores> logger)
    {
        (_catalogue, _replicas, _opener, _registry, _routes) = (catalogue, replicas, opener, registry, routes);
        (_secrets, _node, _time, _logger) = (secrets, node, time, logger);
    }

    /// <summary>Opens a store, tries it, and has every node of this one's zone open it too.</summary>
    /// <exception cref="InvalidFieldException">Something that is said of it cannot be.</exception>
    /// <exception cref="StoreExistsException">A store has the name.</exception>
    /// <exception cref="StoreInUseException">Another store is there, or was, or something that was put there by somebody else.</exception>
    /// <exception cref="StoreUnavailableException">It does not answer, or does not take and give bytes.</exception>
    /// <exception cref="LimitExceededException">There are too many.</exception>
    public async Task<LibraryStore> AddAsync(StoreAddition addition, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("add a store");
        Check(addition);
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await AddAloneAsync(addition, caller, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// Which configured stores have the name of one that was added, or the place of one of this node's zone: each would sweep away what the other has.
    /// What other zones call a place may be another one.
    /// </summary>
    public async Task<IReadOnlyList<(string Configured, string Added)>> ListClashesAsync(CancellationToken cancellationToken)
    {
        var clashes = new List<(string, string)>();
        foreach (var added in await _catalogue.ListAsync(cancellationToken))
        {
            var name = added.Store.Name;
            if (_registry.Has(name))
                clashes.Add((name, name));
            else if (added.Store.Zone == _node.Zone && FindConfigured(added) is { } configured)
                clashes.Add((configured, name));
        }

        return clashes;
    }

    private string? FindConfigured(AddedStore added)
    {
        try
        {
            return ReadAddition(added) is { } addition ? _opener.FindConfigured(addition) : null;
        }
        catch (LibraryException)
        {
            // It cannot be opened here either, and is closed until it can.
            return null;
        }
    }

    /// <summary>Opens those that were added on other nodes, or before this one started. What cannot be opened is tried again at the next look.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            foreach (var added in await _catalogue.ListAsync(cancellationToken))
            {
                if (added.Store.Zone == _node.Zone && !_registry.Has(added.Store.Name))
                    TryOpen(added);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<LibraryStore> AddAloneAsync(StoreAddition addition, Caller caller, CancellationToken cancellationToken)
    {
        var earlier = await _catalogue.ListAsync(cancellationToken);
        if (earlier.Count >= Most)
            throw new LimitExceededException("stores that were added", Most);
        if (_registry.Has(addition.Name) || (await _replicas.ListStoresAsync(cancellationToken)).Any(s => s.Name == addition.Name))
            throw new StoreExistsException(addition.Name);

        var (opened, contents) = await InTimeAsync(
            addition.Name,
            token => _opener.FoundAsync(addition with { Zone = addition.Zone ?? _node.Zone }, [.. earlier.Select(ReadAddition).OfType<StoreAddition>()], token),
            cancellationToken);
        var store = opened with { SyncAddress = addition.SyncAddress };
        try
        {
            await TryOutAsync(store, contents, cancellationToken);
            if (store.SyncAddress is { } address)
                await TryOutAsync(store, contents, address, cancellationToken);
        }
        catch
        {
            await GiveUpAsync(contents);
            throw;
        }

        await SaveAsync(new AddedStore(store, _secrets.Protect(JsonSerializer.Serialize(addition)), caller.User, _time.Now()), contents, cancellationToken);
        _registry.Add(store, contents);
        LogAdded(store.Name, store.Kind, caller.User);
        return store;
    }

    private async Task SaveAsync(AddedStore added, IContentStore contents, CancellationToken cancellationToken)
    {
        try
        {
            await _catalogue.AddAsync(added, cancellationToken);
        }
        catch (StoreExistsException)
        {
            await GiveUpAsync(contents);
            throw;
        }
        catch
        {
            // Whether it was added is not known: other nodes may have it open.
            await LetGoAsync(contents);
            throw;
        }
    }

    private Task<bool> TryOutAsync(LibraryStore store, IContentStore contents, CancellationToken cancellationToken) => InTimeAsync(
        store.Name,
        async token =>
        {
            await contents.ProbeAsync(token);

            // The sweep of a new store would remove whatever it has, as no image refers to it.
            return await contents.ListAsync(token).AnyAsync(token) || await contents.ListStagedAsync(token).AnyAsync(token)
                ? throw new StoreInUseException(store.Name, "there is content in it already.")
                : true;
        },
        cancellationToken);

    private async Task<T> InTimeAsync<T>(string store, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await work(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StoreUnavailableException(store, $"it did not answer within {Patience.TotalSeconds:0} seconds.");
        }
    }

    /// <summary>Leaves the place as it was found, so that it can be tried again.</summary>
    private async Task GiveUpAsync(IContentStore contents)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, _time);
            await contents.DissolveAsync(patience.Token).WaitAsync(patience.Token);
        }
        catch (Exception failure) when (failure is LibraryException or OperationCanceledException)
        {
            // What led here says more.
        }

        await LetGoAsync(contents);
    }

    private async Task TryOutAsync(LibraryStore store, IContentStore contents, Uri address, CancellationToken cancellationToken)
    {
        IContentStore? reached = null;
        await _routes.TryAsync(store.Name, async token => reached = await contents.ReachAsync(address, token), cancellationToken);
        if (reached is not null)
            await LetGoAsync(reached);
    }

    private void TryOpen(AddedStore added)
    {
        try
        {
            var addition = ReadAddition(added) ?? throw new StoreUnavailableException(added.Store.Name, "what the catalogue keeps of it cannot be read here.");
            var (store, contents) = _opener.Open(addition);
            _registry.Add(store, contents);
            _closed.TryRemove(store.Name, out _);
            LogOpened(store.Name, store.Kind);
        }
        catch (LibraryException failure)
        {
            if (!_closed.TryGetValue(added.Store.Name, out var last) || last != failure.Message)
                LogNotOpened(failure, added.Store.Name);
            _closed[added.Store.Name] = failure.Message;
        }
    }

    private StoreAddition? ReadAddition(AddedStore added)
    {
        try
        {
            return JsonSerializer.Deserialize<StoreAddition>(_secrets.Unprotect(added.SealedSettings))! with { Zone = added.Store.Zone };
        }
        catch (Exception failure) when (failure is CryptographicException or JsonException)
        {
            return null;
        }
    }

    private void Check(StoreAddition addition)
    {
        if (!NameForm().IsMatch(addition.Name))
            throw new InvalidFieldException("name", "must be 1 to 63 lower-case letters, digits, dashes and underscores, and not begin with a dash or an underscore");
        if (addition.Zone is { } zone && zone != _node.Zone)
            throw new InvalidFieldException("zone", $"this node is in the zone '{_node.Zone}': send to a node of the zone where the store is to be");
        if (addition.Description.Length > LongestDescription || addition.Description.Any(char.IsControl))
            throw new InvalidFieldException("description", $"must be at most {LongestDescription} characters, on one line");
        if (addition.Settings.Count > MostSettings)
            throw new LimitExceededException("settings of a store", MostSettings);
        if (addition.Settings.Any(s => s.Value is null) || addition.Settings.DistinctBy(s => s.Key, StringComparer.OrdinalIgnoreCase).Count() < addition.Settings.Count)
            throw new InvalidFieldException("settings", "must name each setting once, with a value");
        if (addition.Settings.Any(s => s.Key.Length + s.Value.Length > LongestSetting))
            throw new LimitExceededException("characters of a setting", LongestSetting);
    }

    private static async ValueTask LetGoAsync(IContentStore contents)
    {
        if (contents is IAsyncDisposable asynchronous)
            await asynchronous.DisposeAsync();
        else
            (contents as IDisposable)?.Dispose();
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9_-]{0,62}$", RegexOptions.NonBacktracking)]
    private static partial Regex NameForm();

    [LoggerMessage(LogLevel.Information, "Store {Store}, of the kind {Kind}, was added by user {User}")]
    private partial void LogAdded(string store, string kind, UserId user);

    [LoggerMessage(LogLevel.Information, "Store {Store}, of the kind {Kind}, which was added while the library ran, is open on this node")]
    private partial void LogOpened(string store, string kind);

    [LoggerMessage(LogLevel.Warning, "Store {Store}, which was added while the library ran, cannot be opened on this node; it is tried again")]
    private partial void LogNotOpened(Exception failure, string store);
}

/// <summary>What an administrator says of a new store.</summary>
/// <param name="Kind">The backend; see <see cref="LibraryStore"/>.</param>
public sealed record StoreAddition(string Name, string Kind)
{
    /// <summary>The directory of a store that lies in one.</summary>
    public string? Path { get; init; }

    /// <summary>What the configuration has below the store's name, as <c>S3:Bucket</c>; secrets are among it.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Null for the zone of the node that adds it.</summary>
    public string? Zone { get; init; }

    public string Description { get; init; } = "";

    /// <summary>See <see cref="LibraryStore.SyncAddress"/>.</summary>
    public Uri? SyncAddress { get; init; }

    /// <summary>Without settings, which may be secret.</summary>
    public override string ToString() => $"{Name} ({Kind})";
}

/// <param name="SealedSettings">All that was said of it, encrypted by <see cref="ISecretProtector"/>.</param>
public sealed record AddedStore(LibraryStore Store, string SealedSettings, UserId AddedBy, DateTimeOffset AddedAt);

/// <summary>Where stores are kept that were added while the library ran.</summary>
public interface IAddedStoreCatalogue
{
    /// <exception cref="StoreExistsException">Some store has the name.</exception>
    Task AddAsync(AddedStore store, CancellationToken cancellationToken);

    /// <summary>All of them, by name.</summary>
    Task<IReadOnlyList<AddedStore>> ListAsync(CancellationToken cancellationToken);
}

/// <summary>Makes a store of what an administrator says of it, by the rules that hold for the configuration.</summary>
public interface IStoreOpener
{
    /// <summary>Opens a new store in a place that is none's.</summary>
    /// <param name="addition">With its zone, as all here.</param>
    /// <param name="others">Other stores that were added, which must be elsewhere, as those must that this node is configured with.</param>
    /// <exception cref="InvalidFieldException">A setting is none, is missing or cannot be, or names files that this node does not open to stores.</exception>
    /// <exception cref="StoreInUseException">Another store is in the same place, or somebody has made one there.</exception>
    /// <exception cref="StoreUnavailableException">It cannot be opened.</exception>
    Task<(LibraryStore Store, IContentStore Contents)> FoundAsync(
        StoreAddition addition, IReadOnlyCollection<StoreAddition> others, CancellationToken cancellationToken);

    /// <summary>Opens a store that was added before.</summary>
    /// <exception cref="InvalidFieldException">This node does not open its files to stores, or knows a setting no more.</exception>
    /// <exception cref="StoreInUseException">A store that this node is configured with is in the same place.</exception>
    /// <exception cref="StoreUnavailableException">It cannot be opened.</exception>
    (LibraryStore Store, IContentStore Contents) Open(StoreAddition addition);

    /// <summary>The store of this node's configuration that is in the same place; null where there is none.</summary>
    string? FindConfigured(StoreAddition addition);
}
