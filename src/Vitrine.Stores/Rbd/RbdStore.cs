using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Vitrine.Content;

namespace Vitrine.Stores.Rbd;

/// <summary>Keeps each content as one RADOS block device image in a pool of a Ceph cluster, with a protected snapshot that hosts can clone.</summary>
/// <remarks>
/// The configured kind is <c>rbd</c>. An image has exactly the bytes that were given, whatever their format: only raw disks are of use to a host that
/// clones them. Writers on other nodes are kept out by Ceph's own lock on the image, and a dead one's lock is broken by whoever comes next. Calls to the
/// libraries wait on the pool's threads, except for reads and writes.
/// </remarks>
public sealed class RbdStore : IContentStore, IDisposable
{
    private readonly string _name;
    private readonly RbdStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly RbdLayout _layout;
    private readonly RbdErrors _errors;
    private readonly NameLocks _locks;
    private readonly RbdConnection _connection;
    private readonly ConcurrentDictionary<StagingKey, RbdWriter?> _writers = new();

    // By the images' ids, which no second image has: what is committed keeps its length.
    private readonly ConcurrentDictionary<string, long> _lengths = new(StringComparer.Ordinal);

    private RbdStore(string name, RbdStoreOptions options, TimeProvider time)
    {
        (_name, _options, _time) = (name, options, time);
        _layout = new RbdLayout(options.Prefix);
        _errors = new RbdErrors(name, options);
        _locks = new NameLocks(name, _layout.LocksName, time);
        _connection = new RbdConnection(options, time);
    }

    /// <summary>Opens the store. It connects when it is first used, so that a cluster that is down is seen by the checks of its health.</summary>
    /// <param name="name">The store's configured name, for failures.</param>
    /// <exception cref="StoreUnavailableException">Ceph's libraries are not installed.</exception>
    public static RbdStore Open(string name, RbdStoreOptions options, TimeProvider time) =>
        CephNative.IsInstalled() ? new RbdStore(name, options, time) : throw RbdErrors.NotInstalled(name);

    public Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken) => RunAsync(pool => Find(pool, digest), cancellationToken);

    public Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken) =>
        RunAsync<ContentReader>(pool => OpenReader(pool, digest), cancellationToken);

    public async Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken)
    {
        var name = _layout.NameOf(key);
        if (!_writers.TryAdd(key, null))
            throw new WriterBusyException(key);

        try
        {
            var writer = await OpenWriterAsync(key, name, cancellationToken);
            _writers[key] = writer;
            return writer;
        }
        catch
        {
            _writers.TryRemove(key, out _);
            throw;
        }
    }

    public async Task DiscardAsync(StagingKey key, CancellationToken cancellationToken)
    {
        var name = _layout.NameOf(key);
        if (_writers.ContainsKey(key))
            throw new WriterBusyException(key);

        var deleted = RbdLayout.IsDeleted(key) ? name : await SetAsideAsync(key, name, cancellationToken);
        if (!await RunAsync(pool => TryRemove(pool, deleted), cancellationToken))
            throw new WriterBusyException(key);
    }

    public async Task DeleteAsync(Digest digest, CancellationToken cancellationToken)
    {
        var (name, deleted) = (_layout.NameOf(digest), _layout.NameOf(RbdLayout.NewDeletedKey()));
        await using (await LockAsync(name, cancellationToken))
        {
            // It is gone as soon as it has the other name.
            if (!await RunAsync(pool => TryRename(pool, name, deleted), cancellationToken))
                return;
        }

        // Where a reader or a clone needs it still, the room is freed by a later sweep.
        await RunAsync(pool => TryRemove(pool, deleted), cancellationToken);
    }

    public async IAsyncEnumerable<StoredContent> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var images = await RunAsync(pool => pool.List(), cancellationToken);
        ForgetLengths(images.Select(i => i.Id).ToHashSet(StringComparer.Ordinal));
        foreach (var (name, id) in images)
        {
            if (_layout.TryParse(name, out Digest? digest) && await FindLengthAsync(id, cancellationToken) is { } length)
                yield return new StoredContent(digest, length);
        }
    }

    public async IAsyncEnumerable<StagedContent> ListStagedAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (name, id) in await RunAsync(pool => pool.List(), cancellationToken))
        {
            if (_layout.TryParse(name, out StagingKey? key) && await RunAsync(pool => FindStaged(pool, key.Value, id), cancellationToken) is { } staged)
                yield return staged;
        }
    }

    public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken) => RunAsync(_ => Measure(), cancellationToken);

    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!await RunAsync(pool => pool.Probe(_layout.NewProbeName()), cancellationToken))
                throw _errors.Unavailable("it does not give back what was written to it.");
        }
        catch (StoreFullException full)
        {
            throw _errors.Unavailable("there is no room left in it.", full);
        }
    }

    /// <summary>Ends the connection when the last reader and writer is closed.</summary>
    public void Dispose() => _connection.Dispose();

    private StoredContent? Find(RbdPool pool, Digest digest)
    {
        if (pool.FindId(_layout.NameOf(digest)) is not { } id)
            return null;

        using var image = pool.TryLook(id);
        return image is null ? null : new StoredContent(digest, image.Size);
    }

    private RbdReader OpenReader(RbdPool pool, Digest digest)
    {
        var name = _layout.NameOf(digest);
        if (pool.FindId(name) is not { } id)
            throw new ContentMissingException($"The store's {digest}");

        var image = pool.TryOpen(id, RbdLayout.Snapshot);
        try
        {
            // From here on whoever deletes it sees that it is open. Whoever did so before has taken its name away by now.
            if (pool.FindId(name) != id)
                throw new ContentMissingException($"The store's {digest}");
            if (image is null)
                throw new StoreDamagedException(_name, $"the image {name}");

            return new RbdReader(image, error => Explain(error, pool));
        }
        catch
        {
            image?.Dispose();
            throw;
        }
    }

    private async Task<RbdWriter> OpenWriterAsync(StagingKey key, string name, CancellationToken cancellationToken)
    {
        var pool = await RunAsync(pool => pool, cancellationToken);
        var place = new RbdPlace(_connection, pool, _layout, _locks, _options, _errors, _time, k => _writers.TryRemove(k, out _));
        while (true)
        {
            (string Id, RbdImage Image) opened;
            await using (await LockAsync(name, cancellationToken))
                opened = await RunAsync(_ => OpenOrCreate(pool, name), cancellationToken);

            try
            {
                if (!await RunAsync(_ => TryTake(pool, opened.Image), CancellationToken.None))
                    throw new WriterBusyException(key);

                // By then the image may have been committed or removed by its last owner.
                if (await RunAsync(_ => pool.FindId(name) == opened.Id ? RbdWriter.TakeOver(place, key, opened.Id, opened.Image) : null, CancellationToken.None) is { } writer)
                    return writer;
            }
            catch
            {
                await Task.Run(opened.Image.Dispose, CancellationToken.None);
                throw;
            }

            await Task.Run(opened.Image.Dispose, CancellationToken.None);
        }
    }

    /// <summary>Takes the name from what is staged and has no writer, so that it can be removed at leisure.</summary>
    /// <returns>Its name from now on.</returns>
    private async Task<string> SetAsideAsync(StagingKey key, string name, CancellationToken cancellationToken)
    {
        var deleted = _layout.NameOf(RbdLayout.NewDeletedKey());
        await using (await LockAsync(name, cancellationToken))
        {
            await RunAsync(
                pool =>
                {
                    if (pool.FindId(name) is not { } id)
                        return false;

                    using (var look = pool.TryLook(id))
                    {
                        // Whoever began to make it died before it was one: there is nothing to rename.
                        if (look is null)
                            return pool.TryRemove(name);
                        if (look.IsWatched())
                            throw new WriterBusyException(key);
                    }

                    return TryRename(pool, name, deleted);
                },
                cancellationToken);
        }

        return deleted;
    }

    private static bool TryRename(RbdPool pool, string name, string to)
    {
        if (pool.FindId(name) is null)
            return false;

        pool.Rename(name, to);
        return true;
    }

    private static (string Id, RbdImage Image) OpenOrCreate(RbdPool pool, string name)
    {
        if (pool.FindId(name) is { } found)
        {
            if (pool.TryOpen(found, snapshot: null) is { } image)
                return (found, image);

            // Whoever began to make it died before it was one.
            pool.TryRemove(name);
        }

        pool.Create(name, WriteWindow.BlockOrder);
        var id = pool.FindId(name) ?? throw new CephException(CephError.NoEntry, "find the image it made");
        return (id, pool.TryOpen(id, snapshot: null) ?? throw new CephException(CephError.NoEntry, "open the image it made"));
    }

    /// <returns>False where a writer on another node has it.</returns>
    private static bool TryTake(RbdPool pool, RbdImage image)
    {
        // A dead writer's lock can be had when its watch has run out, after half a minute; that of a process of this machine at once.
        var owner = image.FindOwner();
        if (owner is not null && ImageOwner.Parse(image.Find(RbdLayout.OwnerKey)) is { IsDeadHere: true } dead && dead.Client == owner)
        {
            image.TakeFrom(owner);
            owner = null;
        }

        // Before the lock where that is free, so that there is no moment at which a death would cost that half minute.
        if (owner is null)
            SetOwner();
        var isTaken = image.TryTake();
        if (isTaken && owner is not null)
            SetOwner();
        return isTaken;

        void SetOwner()
        {
            if (ImageOwner.Here(pool.Client) is { } here)
                image.Set(RbdLayout.OwnerKey, here.ToString());
        }
    }

    /// <returns>False where somebody needs it.</returns>
    private static bool TryRemove(RbdPool pool, string name)
    {
        if (pool.FindId(name) is not { } id)
            return true;

        using (var look = pool.TryLook(id))
        {
            if (look?.IsWatched() is true)
                return false;
        }

        using (var image = pool.TryOpen(id, snapshot: null))
        {
            if (image?.TryRemove(RbdLayout.Snapshot) is false)
                return false;
        }

        return pool.TryRemove(name);
    }

    private void ForgetLengths(HashSet<string> still)
    {
        foreach (var id in _lengths.Keys.Where(id => !still.Contains(id)))
            _lengths.TryRemove(id, out _);
    }

    private async Task<long?> FindLengthAsync(string id, CancellationToken cancellationToken)
    {
        if (_lengths.TryGetValue(id, out var known))
            return known;

        var length = await RunAsync(
            pool =>
            {
                using var image = pool.TryLook(id);
                return image?.Size;
            },
            cancellationToken);
        if (length is { } found)
            _lengths[id] = found;
        return length;
    }

    private StagedContent? FindStaged(RbdPool pool, StagingKey key, string id)
    {
        using var image = pool.TryLook(id);
        if (image is null)
            return new StagedContent(key, 0, DateTimeOffset.UnixEpoch);

        return new StagedContent(key, _writers.GetValueOrDefault(key)?.Length ?? RbdWriter.LengthOf(image), RbdWriter.LastWriteOf(image));
    }

    private StoreCapacity Measure() => PoolCapacity.Parse(
        _connection.Cluster.Ask("""{"prefix": "df", "detail": "detail", "format": "json"}""", "measure the pool"), _options.Pool);

    private async Task<IAsyncDisposable> LockAsync(string name, CancellationToken cancellationToken)
    {
        var pool = await RunAsync(pool => pool, cancellationToken);
        try
        {
            return await _locks.TakeAsync(pool, name, cancellationToken);
        }
        catch (CephException error)
        {
            throw Explain(error, pool);
        }
    }

    private async Task<T> RunAsync<T>(Func<RbdPool, T> work, CancellationToken cancellationToken)
    {
        RbdPool? pool = null;
        try
        {
            return await Task.Run(() => work(pool = _connection.Pool), cancellationToken);
        }
        catch (CephException error)
        {
            throw Explain(error, pool);
        }
    }

    private LibraryException Explain(CephException error, RbdPool? pool)
    {
        if (pool is not null)
            _connection.Look(error, pool);
        return _errors.Explain(error);
    }
}
