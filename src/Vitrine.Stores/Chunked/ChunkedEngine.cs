using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Vitrine.Content;
using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>What the readers, the writers and the collector of one store have in common.</summary>
internal sealed class ChunkedEngine : IAsyncDisposable
{
    // Of maps as they are stored; in memory they take some eight times as much.
    private const long MapBudget = 8 * 1024 * 1024;
    private const int MostMaps = 256;

    private readonly Recent<(Guid Id, int Length), ContentMap> _maps = new(MostMaps, MapBudget, map => map.Length);

    public ChunkedEngine(string name, IObjectStore objects, ChunkedStoreOptions options, TimeProvider time)
    {
        (Name, Objects, Options, Time) = (name, objects, options, time);
        Packs = new PackRegistry(name, objects);
        Index = new BlockIndex(options.IndexBytes, pack => Packs.LoadBlocksAsync(pack, CancellationToken.None));
        Known = new KnownPacks(Packs, Index, objects, time);
        Beginnings = new Beginnings(this);
        Extents = new ExtentReader(Packs, new SegmentCache(Packs, options.CacheBytes, objects.ReadStep + PackFormat.MaxSegment), objects.ReadStep);
    }

    /// <summary>The store's configured name, for failures.</summary>
    public string Name { get; }

    public IObjectStore Objects { get; }

    public ChunkedStoreOptions Options { get; }

    public TimeProvider Time { get; }

    public PackRegistry Packs { get; }

    public BlockIndex Index { get; }

    public KnownPacks Known { get; }

    public ExtentReader Extents { get; }

    public Beginnings Beginnings { get; }

    /// <summary>The maps that are being read, so that nothing is collected that they refer to.</summary>
    public PinnedMaps Pinned { get; } = new();

    /// <summary>The writers of this process that are open.</summary>
    public ConcurrentDictionary<StagingKey, ChunkedWriter> Writers { get; } = new();

    /// <returns>Null where the store has no such content.</returns>
    /// <exception cref="StoreDamagedException">What the store has under the content's name is not its record.</exception>
    public async Task<ContentRecord?> FindRecordAsync(Digest digest, CancellationToken cancellationToken)
    {
        var bytes = new byte[ContentRecord.MostLength];
        try
        {
            var read = await Objects.ReadAsync(StoreLayout.ContentName(digest), 0, bytes, cancellationToken);
            return ContentRecord.Read(bytes.AsSpan(0, read), digest) ?? throw new StoreDamagedException(Name, $"the record of {digest}");
        }
        catch (ObjectMissingException)
        {
            return null;
        }
    }

    /// <summary>The contents that there are. What is deleted meanwhile may be left out.</summary>
    /// <param name="damaged">Gets those whose record cannot be read; they are left out.</param>
    public async IAsyncEnumerable<(Digest Digest, ContentRecord Record)> ListRecordsAsync(
        Action<Digest, StoreDamagedException> damaged, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in Objects.ListAsync(StoreLayout.ContentPrefix, cancellationToken))
        {
            if (StoreLayout.DigestOf(found.Name) is { } digest && await TryFindRecordAsync(digest, damaged, cancellationToken) is { } record)
                yield return (digest, record);
        }
    }

    /// <summary>Whether the store has a content, and all that it is made of may be referred to. Where not, it is worth being published again.</summary>
    public async Task<bool> HasWholeAsync(Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            return await FindRecordAsync(digest, cancellationToken) is { } record && (await LoadMapAsync(record)).Extents.All(Known.IsOfUse);
        }
        catch (StoreDamagedException)
        {
            return false;
        }
    }

    /// <summary>Whether the bytes of an extent are there, be it in a pack that nothing new should refer to.</summary>
    public async Task<bool> HasAsync(MapExtent extent)
    {
        try
        {
            return Known.IsOfUse(extent) || (await Packs.SegmentsAsync(extent.Pack) is [.., var last] && extent.Offset + extent.Length <= last.PlainEnd);
        }
        catch (StoreDamagedException)
        {
            return false;
        }
    }

    /// <exception cref="StoreDamagedException">The map is not there, or it or the record is not what was written.</exception>
    public async Task<ContentMap> LoadMapAsync(ContentRecord record)
    {
        var map = await _maps.GetAsync((record.Map, record.MapLength), LoadMapAsync);
        return map.Length == record.Length ? map : throw new StoreDamagedException(Name, $"the record of content {record.Digest}");
    }

    /// <summary>Has maps and tables read from the store again, where they may not be any more what they were.</summary>
    public void ForgetTables()
    {
        _maps.Clear();
        Packs.ForgetTables();
    }

    /// <summary>Makes a content exist. What its map refers to is durable already.</summary>
    public async Task PublishAsync(Digest digest, ContentMap map, CancellationToken cancellationToken)
    {
        if (map.Extents.Count > ContentMap.MostExtents)
            throw new LimitExceededException("parts of a content", ContentMap.MostExtents);

        // Each record has a map of its own, so that a map which no record names after a while is of no use to anybody.
        var bytes = map.Write(Packs);
        var id = Guid.CreateVersion7(Time.GetUtcNow());
        await Objects.PutAsync(StoreLayout.MapName(id), bytes, cancellationToken);
        var record = new ContentRecord(ContentRecord.Known, digest.ToString(), map.Length, id, bytes.Length);
        await Objects.PutAsync(StoreLayout.ContentName(digest), record.Write(), cancellationToken);
        Beginnings.Add(digest, id, map);
    }

    /// <summary>Removes what was written under a key. The caller holds the key's lock.</summary>
    public async Task RemoveStagedAsync(StagingKey key, CancellationToken cancellationToken)
    {
        // The log goes last: as long as it is there, somebody will come for the rest.
        await foreach (var staged in Objects.ListAsync(StoreLayout.StagedPrefix(key), cancellationToken))
        {
            if (staged.Name != StoreLayout.LogName(key))
                await Objects.DeleteAsync(staged.Name, cancellationToken);
        }

        await Objects.DeleteAsync(StoreLayout.LogName(key), cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Known.Dispose();
        return Objects.DisposeAsync();
    }

    private async Task<ContentRecord?> TryFindRecordAsync(Digest digest, Action<Digest, StoreDamagedException> damaged, CancellationToken cancellationToken)
    {
        try
        {
            return await FindRecordAsync(digest, cancellationToken);
        }
        catch (StoreDamagedException damage)
        {
            damaged(digest, damage);
            return null;
        }
    }

    private async Task<ContentMap> LoadMapAsync((Guid Id, int Length) map)
    {
        var bytes = new byte[map.Length];
        try
        {
            var read = await Objects.ReadAsync(StoreLayout.MapName(map.Id), 0, bytes, CancellationToken.None);
            return (read == map.Length ? ContentMap.Read(bytes, Packs) : null) ?? throw Damaged(map.Id);
        }
        catch (ObjectMissingException missing)
        {
            throw Damaged(map.Id, missing);
        }
    }

    private StoreDamagedException Damaged(Guid map, Exception? inner = null) => new(Name, $"the map {map:N}", inner);
}
