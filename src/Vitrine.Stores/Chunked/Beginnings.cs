using Vitrine.Content;

namespace Vitrine.Stores.Chunked;

/// <summary>Finds contents of a store by how they begin, so that one which comes again is recognized.</summary>
/// <remarks>
/// It says what may be, and every answer is held against the contents' maps. What this process published is known at once; what else the store has
/// is looked for when somebody asks in vain. Any number of callers at once.
/// </remarks>
internal sealed class Beginnings(ChunkedEngine engine)
{
    /// <summary>So much of a content tells it from others, in bytes. A shorter one is not worth being recognized.</summary>
    public const int Length = 512 * 1024;

    private const int MostAlike = 4;
    private static readonly TimeSpan LearningInterval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, List<Digest>> _byKey = [];
    private readonly HashSet<Guid> _learnt = [];
    private Task _learning = Task.CompletedTask;
    private long? _began;

    /// <summary>Says that the store has a content.</summary>
    public void Add(Digest digest, Guid id, ContentMap map)
    {
        if (map.Length < Length)
            return;

        lock (_lock)
        {
            _learnt.Add(id);
            var key = KeyOf(map.Extents);
            if (!_byKey.TryGetValue(key, out var alike))
                _byKey.Add(key, alike = []);

            // The newest comes first.
            alike.Remove(digest);
            alike.Insert(0, digest);
            if (alike.Count > MostAlike)
                alike.RemoveAt(MostAlike);
        }
    }

    /// <summary>The contents that begin as some extents do.</summary>
    public async Task<List<(StoredContent Content, ContentMap Map)>> FindAsync(IReadOnlyList<MapExtent> beginning)
    {
        var found = await FindKnownAsync(beginning);
        if (found.Count == 0 && await HasLearntAsync())
            found = await FindKnownAsync(beginning);

        return found;
    }

    private async Task<List<(StoredContent Content, ContentMap Map)>> FindKnownAsync(IReadOnlyList<MapExtent> beginning)
    {
        Digest[] alike;
        lock (_lock)
            alike = [.. _byKey.GetValueOrDefault(KeyOf(beginning), [])];

        var found = new List<(StoredContent, ContentMap)>();
        foreach (var digest in alike)
        {
            if (await TryLoadAsync(digest) is { } map && map.HasAt(0, beginning))
                found.Add((new StoredContent(digest, map.Length), map));
        }

        return found;
    }

    // Null where the content is gone, or cannot be read.
    private async Task<ContentMap?> TryLoadAsync(Digest digest)
    {
        try
        {
            return await engine.FindRecordAsync(digest, CancellationToken.None) is { } record ? await engine.LoadMapAsync(record) : null;
        }
        catch (StoreDamagedException)
        {
            return null;
        }
    }

    // A large store is learnt for those who come later.
    private async Task<bool> HasLearntAsync()
    {
        Task learning;
        lock (_lock)
        {
            if (_began is { } last && _learning.IsCompleted && engine.Time.GetElapsedTime(last) < LearningInterval)
                return false;

            if (_learning.IsCompleted)
                (_began, _learning) = (engine.Time.GetTimestamp(), Task.Run(LearnAsync));
            learning = _learning;
        }

        await Task.WhenAny(learning, Task.Delay(Patience, engine.Time));
        return learning.IsCompletedSuccessfully;
    }

    private async Task LearnAsync()
    {
        await foreach (var (digest, record) in engine.ListRecordsAsync((_, _) => { }, CancellationToken.None))
        {
            bool isNew;
            lock (_lock)
                isNew = !_learnt.Contains(record.Map);

            if (isNew && record.Length >= Length && await TryLoadAsync(digest) is { } map)
                Add(digest, record.Map, map);
        }
    }

    // Of the first extents, as far as they are the beginning.
    private static int KeyOf(IReadOnlyList<MapExtent> extents)
    {
        var key = new HashCode();
        var left = (long)Length;
        for (var i = 0; i < extents.Count && left > 0; i++)
        {
            key.Add(extents[i].Take(Math.Min(extents[i].Length, left)));
            left -= extents[i].Length;
        }

        return key.ToHashCode();
    }
}
