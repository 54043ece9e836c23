using System.Buffers;

namespace Vitrine.Stores.Chunked;

/// <summary>Reads every pack, and holds segments against their checksums and blocks against their names.</summary>
/// <param name="rate">How many bytes a second are read at most; null for as many as can be.</param>
internal sealed class Scrubber(ChunkedEngine engine, long? rate)
{
    private readonly Pace _pace = new(rate, engine.Time);
    private readonly HashSet<(int Pack, int Segment)> _damaged = [];
    private readonly HashSet<int> _unreadable = [];
    private long _bytes;

    public async Task<ScrubResult> ScrubAsync(IProgress<UpkeepProgress>? progress, CancellationToken cancellationToken)
    {
        engine.ForgetTables();
        var survey = await StoreSurvey.TakeAsync(engine, withStaged: false, cancellationToken);
        var total = survey.Packs.Values.Sum(p => p.Length);
        foreach (var (pack, facts) in survey.Packs)
        {
            var before = _bytes;
            await ScrubAsync(pack, read => progress?.Report(new UpkeepProgress(before + read, total)), cancellationToken);
            _bytes = before + facts.Length;
            progress?.Report(new UpkeepProgress(_bytes, total));
        }

        await SignAsync(survey, cancellationToken);
        var faults = survey.Faults.Concat(await ExplainAsync(survey)).GroupBy(f => f.What, StringComparer.Ordinal)
            .Select(f => new StoreFault(f.Key, [.. f.SelectMany(one => one.Contents).Distinct()]));
        return new ScrubResult(_bytes, [.. faults]);
    }

    // What is damaged must not become a part of new contents, and may again when it turns out that it was not.
    private async Task SignAsync(StoreSurvey survey, CancellationToken cancellationToken)
    {
        var damaged = _damaged.Select(d => d.Pack).Concat(_unreadable).ToHashSet();
        var signs = await engine.Packs.ListSignsAsync(StoreLayout.DamagedPrefix, cancellationToken);
        foreach (var pack in damaged.Where(p => !signs.ContainsKey(p)))
            await engine.Objects.PutAsync(StoreLayout.DamagedName(engine.Packs[pack].Id), ReadOnlyMemory<byte>.Empty, cancellationToken);
        foreach (var (_, sign) in signs.Where(s => survey.Packs.ContainsKey(s.Key) && !damaged.Contains(s.Key)))
            await engine.Objects.DeleteAsync(sign.Name, cancellationToken);

        await engine.Known.RefreshAsync(TimeSpan.Zero, cancellationToken);
    }

    private async Task ScrubAsync(int pack, Action<long> report, CancellationToken cancellationToken)
    {
        try
        {
            var segments = await engine.Packs.SegmentsAsync(pack);
            var blocks = await engine.Packs.LoadBlocksAsync(pack, cancellationToken);
            var next = 0;
            for (var i = 0; i < segments.Count; i++)
            {
                await _pace.SpendAsync(segments[i].StoredLength, cancellationToken);
                report(segments[i].Offset);
                if (await IsSoundAsync(pack, segments[i], blocks, next, cancellationToken) is { } count)
                {
                    next += count;
                    continue;
                }

                _damaged.Add((pack, i));
                for (var length = 0; next < blocks.Length && length < segments[i].PlainLength; next++)
                    length += blocks[next].Length;
            }
        }
        catch (StoreDamagedException)
        {
            _unreadable.Add(pack);
        }
    }

    // The number of its blocks; null where it is damaged.
    private async Task<int?> IsSoundAsync(int pack, SegmentEntry segment, PackedBlock[] blocks, int first, CancellationToken cancellationToken)
    {
        var stored = ArrayPool<byte>.Shared.Rent(segment.StoredLength);
        var plain = ArrayPool<byte>.Shared.Rent(segment.PlainLength);
        try
        {
            var bytes = stored.AsMemory(0, segment.StoredLength);
            await engine.Packs.ReadStoredAsync(pack, segment.Offset, bytes, cancellationToken);
            if (Checksum32.Of(bytes.Span) != segment.Checksum)
                return null;

            SegmentCodec.Unfold(segment.Coding, bytes.Span, plain.AsSpan(0, segment.PlainLength));
            return CountBlocks(plain.AsSpan(0, segment.PlainLength), blocks.AsSpan(first));
        }
        catch (InvalidDataException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    private static int? CountBlocks(ReadOnlySpan<byte> plain, ReadOnlySpan<PackedBlock> blocks)
    {
        var count = 0;
        for (; !plain.IsEmpty; count++)
        {
            if (count == blocks.Length || blocks[count].Length > plain.Length || BlockName.Of(plain[..blocks[count].Length]) != blocks[count].Name)
                return null;

            plain = plain[blocks[count].Length..];
        }

        return count;
    }

    private async Task<List<StoreFault>> ExplainAsync(StoreSurvey survey)
    {
        var byPack = _damaged.Select(d => d.Pack).Concat(_unreadable).Distinct().ToDictionary(p => p, _ => new List<Content.Digest>());
        if (byPack.Count == 0)
            return [];

        foreach (var (digest, record) in survey.Records)
        {
            foreach (var pack in await FindDamagedAsync(record))
                byPack[pack].Add(digest);
        }

        return [.. byPack.Select(p => new StoreFault($"the pack {engine.Packs[p.Key].Id:N}", p.Value))];
    }

    private async Task<HashSet<int>> FindDamagedAsync(ContentRecord record)
    {
        var found = new HashSet<int>();
        try
        {
            foreach (var extent in (await engine.LoadMapAsync(record)).Extents)
            {
                if (!extent.IsZero && (_unreadable.Contains(extent.Pack) || await TouchesDamageAsync(extent)))
                    found.Add(extent.Pack);
            }
        }
        catch (StoreDamagedException)
        {
            // The survey has said so.
        }

        return found;
    }

    private async Task<bool> TouchesDamageAsync(MapExtent extent)
    {
        if (!_damaged.Any(d => d.Pack == extent.Pack))
            return false;

        var segments = await engine.Packs.SegmentsAsync(extent.Pack);
        return _damaged.Any(d => d.Pack == extent.Pack
            && segments[d.Segment].PlainStart < extent.Offset + extent.Length && segments[d.Segment].PlainEnd > extent.Offset);
    }
}
