using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>Frees packs and maps that nobody refers to, and empties packs of which little is left.</summary>
/// <remarks>
/// A pack goes in two runs. The first puts a sign beside it, after which no writer refers to it anew, on this node at once and on others
/// as soon as they look again, which is long before the grace time is over. A later run, when the sign is older than that, looks at all
/// contents, logs and readers once more, and only then removes the pack; if it is needed after all, the sign goes. What is
/// still needed of a pack that is emptied is written anew, and the contents get new maps, before the pack is given its sign.
/// </remarks>
internal sealed class Collector(ChunkedEngine engine)
{
    private const double LeastUsedPart = 0.6;

    // Packs that were sealed early, by small contents, are put together when there are so many of them.
    private const long SmallPack = OpenPack.FullLength / 4;
    private const int ManySmallPacks = 8;

    // So many contents get their new maps together, so that the new packs are not small again.
    private const int ContentsAtOnce = 64;

    /// <summary>Of what a collection writes anew.</summary>
    public static readonly StagingKey Key = new("collection");

    private long _freed;
    private long _moved;
    private long _condemned;

    public async Task<CollectionResult> CollectAsync(IProgress<UpkeepProgress>? progress, CancellationToken cancellationToken)
    {
        // What a collection that died has left is no use to this one. The writer also keeps other collections out.
        await DiscardAsync(cancellationToken);
        await using var writer = await ChunkedWriter.OpenAsync(engine, Key, cancellationToken);
        await engine.Known.RefreshAsync(TimeSpan.Zero, cancellationToken);

        var signs = await engine.Packs.ListSignsAsync(StoreLayout.CondemnedPrefix, cancellationToken);
        var damaged = await engine.Packs.ListSignsAsync(StoreLayout.DamagedPrefix, cancellationToken);
        var survey = await StoreSurvey.TakeAsync(engine, withStaged: true, cancellationToken);
        if (survey.Damage is { } damage)
            throw new StoreDamagedException(engine.Name, damage.What, damage);

        await RemoveSignedAsync(survey, signs, cancellationToken);
        await RemoveMapsAsync(survey, cancellationToken);
        foreach (var (_, sign) in damaged.Where(d => !survey.Packs.ContainsKey(d.Key)))
            await engine.Objects.DeleteAsync(sign.Name, cancellationToken);

        var leaving = FindLeaving(survey, signs, damaged);
        foreach (var pack in leaving)
            await CondemnAsync(survey, pack, cancellationToken);

        await engine.Known.RefreshAsync(TimeSpan.Zero, cancellationToken);
        await EmptyAsync(survey, leaving, writer, progress, cancellationToken);
        await writer.ResetAsync(cancellationToken);
        return new CollectionResult(_freed, _moved, _condemned);
    }

    private async Task DiscardAsync(CancellationToken cancellationToken)
    {
        await using var held = await engine.Objects.TryLockAsync(StoreLayout.LockName(Key), cancellationToken) ?? throw new WriterBusyException(Key);
        await engine.RemoveStagedAsync(Key, cancellationToken);
    }

    private async Task RemoveSignedAsync(StoreSurvey survey, Dictionary<int, ObjectFacts> signs, CancellationToken cancellationToken)
    {
        foreach (var (pack, sign) in signs)
        {
            var isThere = survey.Packs.TryGetValue(pack, out var facts);
            if (isThere && survey.IsNeeded(pack))
            {
                await engine.Objects.DeleteAsync(sign.Name, cancellationToken);
                continue;
            }

            if (!IsOld(sign))
                continue;

            // The sign goes last: without it a pack that is half gone would be taken for a good one.
            if (isThere)
            {
                await engine.Objects.DeleteAsync(facts.Name, cancellationToken);
                _freed += facts.Length;
            }

            await engine.Objects.DeleteAsync(sign.Name, cancellationToken);
        }
    }

    private async Task RemoveMapsAsync(StoreSurvey survey, CancellationToken cancellationToken)
    {
        // A map is of one record alone. One that is old and has none was replaced, or its record was deleted or never came.
        var named = survey.Records.Select(r => r.Record.Map).ToHashSet();
        await foreach (var map in engine.Objects.ListAsync(StoreLayout.MapPrefix, cancellationToken))
        {
            if (StoreLayout.IdOf(map.Name) is not { } id || named.Contains(id) || !IsOld(map))
                continue;

            await engine.Objects.DeleteAsync(map.Name, cancellationToken);
            _freed += map.Length;
        }
    }

    private HashSet<int> FindLeaving(StoreSurvey survey, Dictionary<int, ObjectFacts> signs, Dictionary<int, ObjectFacts> damaged)
    {
        // Not all that is needed of a damaged pack could be written anew, so it stays as long as anything needs it.
        var old = survey.Packs.Where(p => IsOld(p.Value) && !signs.ContainsKey(p.Key)).ToLookup(p => damaged.ContainsKey(p.Key));
        var settled = old[false].ToList();
        var leaving = settled.Where(p => survey.UseOf(p.Key) is { UsedPart: < LeastUsedPart }).Select(p => p.Key).ToHashSet();
        var small = settled.Where(p => p.Value.Length < SmallPack && survey.UseOf(p.Key) is not null && !leaving.Contains(p.Key)).ToList();
        if (small.Count >= ManySmallPacks)
            leaving.UnionWith(small.Select(p => p.Key));

        leaving.UnionWith(old[true].Where(p => !survey.IsNeeded(p.Key)).Select(p => p.Key));
        return leaving;
    }

    private async Task CondemnAsync(StoreSurvey survey, int pack, CancellationToken cancellationToken)
    {
        await engine.Objects.PutAsync(StoreLayout.SignName(engine.Packs[pack].Id), ReadOnlyMemory<byte>.Empty, cancellationToken);
        _condemned += survey.Packs[pack].Length;
    }

    private async Task EmptyAsync(
        StoreSurvey survey, HashSet<int> leaving, ChunkedWriter writer, IProgress<UpkeepProgress>? progress, CancellationToken cancellationToken)
    {
        var done = 0L;
        var total = survey.Records.Sum(r => r.Record.Length);
        foreach (var some in survey.Records.Chunk(ContentsAtOnce))
        {
            var moved = new List<(Content.Digest Digest, ContentRecord Record, ContentMap Map)>();
            foreach (var (digest, record) in some)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var map = await engine.LoadMapAsync(record);
                if (map.Extents.Any(e => leaving.Contains(e.Pack)) && await TryCopyAsync(writer, map, leaving) is { } copy)
                    moved.Add((digest, record, copy));

                done += record.Length;
                progress?.Report(new UpkeepProgress(done, total));
            }

            _moved += await writer.SealAsync();
            foreach (var (digest, record, map) in moved)
            {
                // A content that was deleted meanwhile stays deleted.
                if (await engine.FindRecordAsync(digest, cancellationToken) == record)
                    await engine.PublishAsync(digest, map, cancellationToken);
            }
        }
    }

    // What cannot be read cannot be written anew: then the content keeps its map, and the next run forgives the pack.
    private static async Task<ContentMap?> TryCopyAsync(ChunkedWriter writer, ContentMap map, HashSet<int> leaving)
    {
        try
        {
            var copy = await writer.CopyAsync(map, leaving);
            return copy.Extents.Count <= ContentMap.MostExtents ? copy : null;
        }
        catch (StoreDamagedException)
        {
            return null;
        }
    }

    private bool IsOld(ObjectFacts facts) => engine.Time.GetUtcNow() - facts.LastWrite >= engine.Options.CollectionGrace;
}
