using Vitrine.Content;

namespace Vitrine.Stores;

/// <summary>What a store that shares parts among contents wants done from time to time. All of it may run beside everything else.</summary>
public interface IStoreUpkeep
{
    /// <summary>Frees what no content refers to any more. What it finds is removed by a later run, when nobody can be reading it.</summary>
    /// <exception cref="WriterBusyException">Another collection is running.</exception>
    /// <exception cref="StoreDamagedException">It cannot be told what some content refers to; nothing is freed then.</exception>
    Task<CollectionResult> CollectAsync(IProgress<UpkeepProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Reads everything and holds it against its checksums and names.</summary>
    /// <param name="rate">How many bytes a second it reads at most, on the average; null for as many as it can.</param>
    Task<ScrubResult> ScrubAsync(long? rate, IProgress<UpkeepProgress>? progress, CancellationToken cancellationToken);

    /// <summary>How many bytes the packs and maps of the store take, which is nearly all that it takes. Quicker than a report.</summary>
    Task<long> MeasureStoredAsync(CancellationToken cancellationToken);

    /// <summary>What each content takes, alone and together with others.</summary>
    Task<StoreReport> ReportAsync(CancellationToken cancellationToken);
}

/// <summary>How far some upkeep is, in bytes of the store.</summary>
public readonly record struct UpkeepProgress(long Done, long Total);

/// <param name="Freed">Bytes that were removed.</param>
/// <param name="Moved">Bytes that were written anew, to free what lay around them.</param>
/// <param name="Condemned">Bytes that will be freed by a run after the grace time, unless somebody still needs them.</param>
public sealed record CollectionResult(long Freed, long Moved, long Condemned);

/// <param name="Bytes">Bytes of the store that were read.</param>
public sealed record ScrubResult(long Bytes, IReadOnlyList<StoreFault> Faults)
{
    /// <summary>How many images are copied anew from other stores because of the faults.</summary>
    public int Repairing { get; init; }
}

/// <summary>Something in a store that is not what was written.</summary>
/// <param name="What">What is damaged or missing, as the subject of a sentence.</param>
/// <param name="Contents">The contents that cannot be read whole because of it.</param>
public sealed record StoreFault(string What, IReadOnlyList<Digest> Contents)
{
    /// <summary>The bytes could not be read, which may pass: nothing is given up because of it.</summary>
    public bool MayPass { get; init; }
}

/// <summary>What a store holds, in bytes that it keeps. The parts add up to the whole.</summary>
/// <param name="Stored">All bytes of all files or objects.</param>
/// <param name="Unique">Kept for one content each.</param>
/// <param name="Shared">Kept once for several contents.</param>
/// <param name="Metadata">What says which content is made of what.</param>
/// <param name="Staged">Of transfers under way.</param>
/// <param name="Collectable">What no content refers to.</param>
public sealed record StoreReport(
    long Stored, long Unique, long Shared, long Metadata, long Staged, long Collectable, IReadOnlyList<ContentUse> Contents)
{
    /// <summary>Of which it is not known whether anything refers to it, since what says so is damaged; a scrub names that.</summary>
    public long Unreadable { get; init; }

    /// <summary>Of a store that shares nothing: each content takes its length.</summary>
    public static async Task<StoreReport> OfWholeContentsAsync(IContentStore store, CancellationToken cancellationToken)
    {
        var contents = new List<ContentUse>();
        await foreach (var content in store.ListAsync(cancellationToken))
            contents.Add(new ContentUse(content.Digest, content.Length, content.Length, Shared: 0));

        var staged = 0L;
        await foreach (var staging in store.ListStagedAsync(cancellationToken))
            staged += staging.Length;

        var unique = contents.Sum(c => c.Unique);
        return new StoreReport(unique + staged, unique, Shared: 0, Metadata: 0, staged, Collectable: 0, contents);
    }
}

/// <param name="Logical">The content's length in bytes.</param>
/// <param name="Unique">Bytes of the store that are kept for it alone: so many would be free without it.</param>
/// <param name="Shared">Bytes of the store that it needs and others too.</param>
public sealed record ContentUse(Digest Digest, long Logical, long Unique, long Shared);
