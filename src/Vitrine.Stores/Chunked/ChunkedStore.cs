using System.Runtime.CompilerServices;
using Vitrine.Content;
using Vitrine.Stores.Objects;
using Vitrine.Stores.Objects.S3;

namespace Vitrine.Stores.Chunked;

/// <summary>Keeps content in blocks, of which equal ones are kept once, in compressed packs.</summary>
/// <remarks>The form of what it keeps is written down in docs/formats/store.md.</remarks>
public sealed class ChunkedStore : IContentStore, IStoreUpkeep, IAsyncDisposable
{
    private const string ProbeName = "probe";

    private readonly ChunkedEngine _engine;
    private readonly Func<CancellationToken, Task<bool>> _mayBegin;
    private readonly SemaphoreSlim _gate = new(1);
    private volatile bool _isFounded;

    /// <summary>Makes the store that answers by another address; null where there are no addresses.</summary>
    private Func<Uri, ChunkedStore>? _at;

    /// <summary>Removes what is left over in a place that is a store's.</summary>
    private Func<CancellationToken, Task> _tidy = _ => Task.CompletedTask;

    /// <summary>The id of the store where this object has made it.</summary>
    private Guid? _made;

    /// <param name="mayBegin">Whether a store may be made where there is none.</param>
    internal ChunkedStore(string name, IObjectStore objects, ChunkedStoreOptions options, TimeProvider time, Func<CancellationToken, Task<bool>> mayBegin) =>
        (_engine, _mayBegin) = (new ChunkedEngine(name, objects, options, time), mayBegin);

    /// <summary>A store in a directory. At its first use it is opened, or made where the directory is empty.</summary>
    /// <remarks>
    /// Every call throws <see cref="StoreUnavailableException"/> as long as the directory is missing, since a mount that is missing must
    /// not be taken for an empty store, or holds something else than a store that this version knows.
    /// </remarks>
    /// <param name="name">The store's configured name, for failures.</param>
    public static ChunkedStore InDirectory(string name, string root, ChunkedStoreOptions options, TimeProvider time)
    {
        var objects = new DirectoryObjects(name, root, StoreLayout.FoundationName, time);
        return new ChunkedStore(name, objects, options, time, objects.IsEmptyAsync);
    }

    /// <summary>A store in a bucket of S3, radosgw or Swift. At its first use it is opened, or made where the bucket is empty.</summary>
    /// <remarks>Every call throws <see cref="StoreUnavailableException"/> as long as the bucket is missing or does not answer.</remarks>
    /// <param name="name">The store's configured name, for failures.</param>
    public static ChunkedStore InBucket(string name, S3StoreOptions bucket, ChunkedStoreOptions options, TimeProvider time)
    {
        var objects = new S3Objects(name, bucket, time);
        return new ChunkedStore(name, objects, options, time, objects.IsEmptyAsync)
        {
            _tidy = objects.RemoveAbandonedAsync,
            _at = address =>
            {
                var there = $"{name} by {address.Authority}";
                var theirs = new S3Objects(there, bucket.At(address), time) { LockedBy = bucket.Endpoint };
                return new ChunkedStore(there, theirs, options, time, _ => Task.FromResult(false));
            },
        };
    }

    public IStoreUpkeep Upkeep => this;

    public IImageDescriptions Descriptions =>
        field ??= new ObjectDescriptions(async cancellationToken => (await EngineAsync(cancellationToken)).Objects);

    /// <summary>Whether anybody has made a store of the place. Makes none.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer, or is missing.</exception>
    public async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        // Says of a place that is missing that it is, where a read says that the object is.
        await _mayBegin(cancellationToken);
        return await ReadFoundationAsync(cancellationToken) is not null;
    }

    public async Task DissolveAsync(CancellationToken cancellationToken)
    {
        if (_made is not { } made || await ReadIdAsync(cancellationToken) != made)
            return;
        if (!await _engine.Objects.ListAsync("", cancellationToken).AllAsync(o => o.Name is StoreLayout.FoundationName or ProbeName, cancellationToken))
            return;

        await _engine.Objects.DeleteAsync(ProbeName, cancellationToken);
        await _engine.Objects.DeleteAsync(StoreLayout.FoundationName, cancellationToken);
    }

    public async Task<IContentStore?> ReachAsync(Uri address, CancellationToken cancellationToken)
    {
        if (_at is null)
            return null;

        await EngineAsync(cancellationToken);
        var there = _at(address);
        try
        {
            if (await there.ReadIdAsync(cancellationToken) is not { } id || id != await ReadIdAsync(cancellationToken))
                throw new StoreUnavailableException(_engine.Name, $"another store answers by {address.Authority}, or none.");

            return there;
        }
        catch
        {
            await there.DisposeAsync();
            throw;
        }
    }

    public async Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken)
    {
        var engine = await EngineAsync(cancellationToken);
        return await engine.FindRecordAsync(digest, cancellationToken) is { } record ? new StoredContent(digest, record.Length) : null;
    }

    public async Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken)
    {
        var engine = await EngineAsync(cancellationToken);
        var record = await engine.FindRecordAsync(digest, cancellationToken) ?? throw new ContentMissingException($"The store's {digest}");
        var map = await engine.LoadMapAsync(record);
        return new ChunkedReader(digest, record, map, engine);
    }

    public async Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken) =>
        await ChunkedWriter.OpenAsync(await EngineAsync(cancellationToken), key, cancellationToken);

    public async Task DiscardAsync(StagingKey key, CancellationToken cancellationToken)
    {
        var engine = await EngineAsync(cancellationToken);
        await using var held = await engine.Objects.TryLockAsync(StoreLayout.LockName(key), cancellationToken) ?? throw new WriterBusyException(key);
        await engine.RemoveStagedAsync(key, cancellationToken);
    }

    public async Task DeleteAsync(Digest digest, CancellationToken cancellationToken)
    {
        var engine = await EngineAsync(cancellationToken);
        await engine.Objects.DeleteAsync(StoreLayout.ContentName(digest), cancellationToken);
    }

    public async IAsyncEnumerable<StoredContent> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var engine = await EngineAsync(cancellationToken);
        await foreach (var (digest, record) in engine.ListRecordsAsync((_, _) => { }, cancellationToken))
            yield return new StoredContent(digest, record.Length);
    }

    public async IAsyncEnumerable<StagedContent> ListStagedAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var engine = await EngineAsync(cancellationToken);

        // What a collection stages is its own, and the next one's to remove.
        // Of a writer that is open here the length is known, and it may have left nothing yet. Of others, what they keep is all that can be said.
        var open = engine.Writers.ToDictionary();
        foreach (var (key, writer) in open.Where(o => o.Key != Collector.Key))
            yield return new StagedContent(key, writer.Length, engine.Time.GetUtcNow());

        var found = await engine.Objects.ListAsync(StoreLayout.StagingPrefix, cancellationToken).ToListAsync(cancellationToken);
        foreach (var staged in found.Where(o => StoreLayout.KeyOf(o.Name) is not null).GroupBy(o => StoreLayout.KeyOf(o.Name)!.Value))
        {
            if (!open.ContainsKey(staged.Key) && staged.Key != Collector.Key)
                yield return new StagedContent(staged.Key, staged.Sum(o => o.Length), staged.Max(o => o.LastWrite));
        }
    }

    public async Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken)
    {
        var engine = await EngineAsync(cancellationToken);
        return await engine.Objects.MeasureAsync(cancellationToken);
    }

    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        var objects = (await EngineAsync(cancellationToken)).Objects;
        var written = "vitrine"u8.ToArray();
        var read = new byte[written.Length];
        try
        {
            // Nodes that probe at once share the name and write the same bytes, so they do not disturb each other.
            await objects.PutAsync(ProbeName, written, cancellationToken);
            if (await objects.ReadAsync(ProbeName, 0, read, cancellationToken) != read.Length || !read.AsSpan().SequenceEqual(written))
                throw new StoreUnavailableException(_engine.Name, "it does not give back what was written to it.");

            await objects.DeleteAsync(ProbeName, cancellationToken);
        }
        catch (StoreFullException full)
        {
            throw new StoreUnavailableException(_engine.Name, "there is no room left in it.", full);
        }
        catch (ObjectMissingException)
        {
            // Another node that probes has removed it just now, so that it was there.
        }
    }

    public async Task<CollectionResult> CollectAsync(IProgress<UpkeepProgress>? progress, CancellationToken cancellationToken) =>
        await new Collector(await EngineAsync(cancellationToken)).CollectAsync(progress, cancellationToken);

    public async Task<ScrubResult> ScrubAsync(long? rate, IProgress<UpkeepProgress>? progress, CancellationToken cancellationToken) =>
        await new Scrubber(await EngineAsync(cancellationToken), rate).ScrubAsync(progress, cancellationToken);

    public async Task<long> MeasureStoredAsync(CancellationToken cancellationToken)
    {
        var objects = (await EngineAsync(cancellationToken)).Objects;
        var sum = 0L;
        foreach (var prefix in new[] { StoreLayout.PackPrefix, StoreLayout.MapPrefix })
        {
            await foreach (var found in objects.ListAsync(prefix, cancellationToken))
                sum += found.Length;
        }

        return sum;
    }

    public async Task<StoreReport> ReportAsync(CancellationToken cancellationToken) =>
        await Reporter.ReportAsync(await EngineAsync(cancellationToken), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _gate.Dispose();
        await _engine.DisposeAsync();
    }

    // Done once, and tried again as long as it fails: a store may be out of reach when the server starts.
    private async ValueTask<ChunkedEngine> EngineAsync(CancellationToken cancellationToken)
    {
        if (_isFounded)
            return _engine;

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!_isFounded)
                await FoundAsync(cancellationToken);

            _isFounded = true;
            return _engine;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task FoundAsync(CancellationToken cancellationToken)
    {
        var isEmpty = await _mayBegin(cancellationToken);
        if (await ReadFoundationAsync(cancellationToken) is not { } bytes)
            await MakeFoundationAsync(isEmpty, cancellationToken);
        else if (Foundation.Read(bytes) is null)
            throw new StoreUnavailableException(_engine.Name, "it has a layout that this version does not know.");

        // Not before it is known that the place is a store's: what lies about in another's is none of ours.
        await _tidy(cancellationToken);
    }

    private async Task MakeFoundationAsync(bool isEmpty, CancellationToken cancellationToken)
    {
        if (!isEmpty)
            throw new StoreUnavailableException(_engine.Name, "what is there is not empty and is not a store.");

        var foundation = new Foundation(Foundation.FormatName, Foundation.Known, Guid.NewGuid());
        _made = foundation.Id;
        await _engine.Objects.PutAsync(StoreLayout.FoundationName, foundation.Write(), cancellationToken);
    }

    private async Task<Guid?> ReadIdAsync(CancellationToken cancellationToken) =>
        await ReadFoundationAsync(cancellationToken) is { } bytes ? Foundation.Read(bytes)?.Id : null;

    private async Task<byte[]?> ReadFoundationAsync(CancellationToken cancellationToken)
    {
        var bytes = new byte[Foundation.MostLength];
        try
        {
            return bytes[..await _engine.Objects.ReadAsync(StoreLayout.FoundationName, 0, bytes, cancellationToken)];
        }
        catch (ObjectMissingException)
        {
            return null;
        }
    }
}
