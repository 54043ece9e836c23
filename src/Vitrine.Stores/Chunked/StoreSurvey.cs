using Vitrine.Content;
using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>Which contents there are, and what they and whoever is at work refer to.</summary>
internal sealed class StoreSurvey
{
    private readonly ChunkedEngine _engine;
    private readonly Dictionary<int, PackUse> _uses = [];
    private readonly Dictionary<int, ObjectFacts> _packs = [];
    private readonly HashSet<int> _missed = [];
    private readonly List<(Digest Digest, ContentRecord Record)> _records = [];
    private readonly List<StoreFault> _faults = [];

    private StoreSurvey(ChunkedEngine engine) => _engine = engine;

    /// <summary>The sealed packs that were there before anything else was looked at, by number.</summary>
    public IReadOnlyDictionary<int, ObjectFacts> Packs => _packs;

    public IReadOnlyList<(Digest Digest, ContentRecord Record)> Records => _records;

    /// <summary>Contents that refer to what is not there, and packs and maps that cannot be read.</summary>
    public IReadOnlyList<StoreFault> Faults => _faults;

    /// <summary>What is known of a pack's use. A pack that cannot be read has none, and must be left alone.</summary>
    public PackUse? UseOf(int pack) => _uses.GetValueOrDefault(pack);

    /// <summary>Why it is not known what some content refers to. Nothing may be taken for unused then: the record or map may be brought back. Null where all is known.</summary>
    public StoreDamagedException? Damage { get; private set; }

    /// <summary>Whether anything refers to a pack, whether it can be read or not.</summary>
    public bool IsNeeded(int pack) => _missed.Contains(pack) || UseOf(pack) is { IsUsed: true };

    /// <param name="withStaged">Whether what is referred to by readers and writers counts, and not only by contents.</param>
    public static async Task<StoreSurvey> TakeAsync(ChunkedEngine engine, bool withStaged, CancellationToken cancellationToken)
    {
        // Packs first: what is sealed from here on is not looked at, and thus not taken for unused.
        var survey = new StoreSurvey(engine);
        await survey.ListPacksAsync(cancellationToken);
        if (withStaged)
            await survey.MarkStagedAsync(cancellationToken);

        await foreach (var (digest, record) in engine.ListRecordsAsync(survey.AddDamagedRecord, cancellationToken))
        {
            survey._records.Add((digest, record));
            await survey.MarkContentAsync(digest, record);
        }

        if (withStaged)
            survey.MarkPinned();

        return survey;
    }

    /// <summary>What a content takes of the store; null where its map cannot be read.</summary>
    public async Task<ContentUse?> TryMeasureAsync(Digest digest, ContentRecord record)
    {
        ContentMap map;
        try
        {
            map = await _engine.LoadMapAsync(record);
        }
        catch (StoreDamagedException)
        {
            return null;
        }

        var (unique, shared) = (0L, 0L);
        foreach (var use in Mark(map.Extents, out _))
        {
            var (alone, together) = use.TakeCurrent();
            unique += alone;
            shared += together;
        }

        return new ContentUse(digest, record.Length, unique, shared);
    }

    private async Task ListPacksAsync(CancellationToken cancellationToken)
    {
        await foreach (var found in _engine.Objects.ListAsync(StoreLayout.PackPrefix, cancellationToken))
        {
            if (StoreLayout.IdOf(found.Name) is not { } id)
                continue;

            var number = _engine.Packs.NumberOf(id);
            _packs[number] = found;
            try
            {
                _uses[number] = new PackUse(await _engine.Packs.SegmentsAsync(number), found.Length);
            }
            catch (StoreDamagedException damage)
            {
                _faults.Add(new StoreFault(damage.What, []));
            }
        }
    }

    private async Task MarkContentAsync(Digest digest, ContentRecord record)
    {
        try
        {
            var map = await _engine.LoadMapAsync(record);
            var touched = Mark(map.Extents, out var missing);
            foreach (var use in touched)
                use.Fold();

            if (missing is { } pack)
                _faults.Add(new StoreFault($"the pack {_engine.Packs[pack].Id:N}", [digest]));
        }
        catch (StoreDamagedException damage)
        {
            AddDamagedRecord(digest, damage);
        }
    }

    private void AddDamagedRecord(Digest digest, StoreDamagedException damage)
    {
        Damage ??= damage;
        _faults.Add(new StoreFault(damage.What, [digest]));
    }

    private async Task MarkStagedAsync(CancellationToken cancellationToken)
    {
        await foreach (var found in _engine.Objects.ListAsync(StoreLayout.StagingPrefix, cancellationToken))
        {
            if (StoreLayout.KeyOfLog(found.Name) is null)
                continue;

            try
            {
                var staged = await StagingLog.ReadAsync(_engine.Objects, found.Name, _engine.Packs, cancellationToken);
                foreach (var use in Mark(staged.Parts.Where(p => p.Bytes is null).Select(p => p.Extent), out _))
                    use.Fold();
            }
            catch (ObjectMissingException)
            {
                // It was committed or discarded just now. What was committed is a content, and those are looked at next.
            }
        }
    }

    private void MarkPinned()
    {
        foreach (var use in Mark(_engine.Pinned.All.SelectMany(map => map.Extents), out _))
            use.Fold();
    }

    private HashSet<PackUse> Mark(IEnumerable<MapExtent> extents, out int? missing)
    {
        var touched = new HashSet<PackUse>();
        missing = null;
        foreach (var extent in extents)
        {
            if (extent.IsZero)
                continue;
            if (UseOf(extent.Pack) is { } use && use.Mark(extent.Offset, extent.Length))
            {
                touched.Add(use);
                continue;
            }

            _missed.Add(extent.Pack);
            missing ??= extent.Pack;
        }

        return touched;
    }
}
