using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>Adds up what the store keeps and for whom.</summary>
internal static class Reporter
{
    public static async Task<StoreReport> ReportAsync(ChunkedEngine engine, CancellationToken cancellationToken)
    {
        var survey = await StoreSurvey.TakeAsync(engine, withStaged: false, cancellationToken);
        var contents = new List<ContentUse>();
        foreach (var (digest, record) in survey.Records)
            contents.Add(await survey.TryMeasureAsync(digest, record) ?? new ContentUse(digest, record.Length, Unique: 0, Shared: 0));

        var (unique, shared, unused, unreadable) = (0L, 0L, 0L, 0L);
        foreach (var (number, pack) in survey.Packs)
        {
            var (alone, together, nobody) = survey.UseOf(number)?.Sums() ?? (0, 0, 0);
            (unique, shared, unused) = (unique + alone, shared + together, unused + nobody);
            unreadable += pack.Length - alone - together - nobody;
        }

        var named = survey.Records.Select(r => r.Record.Map).ToHashSet();
        var maps = await SumAsync(engine, StoreLayout.MapPrefix, name => StoreLayout.IdOf(name) is { } id && named.Contains(id), cancellationToken);
        var metadata = maps.Counted
            + (await SumAsync(engine, StoreLayout.ContentPrefix, _ => true, cancellationToken)).Counted
            + (await SumAsync(engine, ObjectDescriptions.Prefix, _ => true, cancellationToken)).Counted
            + (await SumAsync(engine, StoreLayout.FoundationName, _ => true, cancellationToken)).Counted;
        var staged = (await SumAsync(engine, StoreLayout.StagingPrefix, _ => true, cancellationToken)).Counted;
        var collectable = unused + maps.Others;
        if (survey.Damage is not null)
            (unreadable, collectable) = (unreadable + collectable, 0); // what cannot be read may need it

        return new StoreReport(unique + shared + metadata + staged + collectable + unreadable, unique, shared, metadata, staged, collectable, contents)
        {
            Unreadable = unreadable,
        };
    }

    private static async Task<(long Counted, long Others)> SumAsync(
        ChunkedEngine engine, string prefix, Func<string, bool> counts, CancellationToken cancellationToken)
    {
        var (counted, others) = (0L, 0L);
        await foreach (var found in engine.Objects.ListAsync(prefix, cancellationToken))
        {
            if (counts(found.Name))
                counted += found.Length;
            else
                others += found.Length;
        }

        return (counted, others);
    }
}
