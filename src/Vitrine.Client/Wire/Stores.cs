using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>What a store keeps and for whom, in bytes. <c>unique</c>, <c>shared</c>, <c>metadata</c>, <c>staged</c>, <c>collectable</c> and <c>unreadable</c> add up to <c>stored</c>.</summary>
public sealed record StoreReportRecord
{
    /// <summary>The name of the store.</summary>
    public required string Store { get; init; }

    /// <summary>The backend: <c>directory</c>, <c>chunked</c>, <c>s3</c> or <c>rbd</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The sum of the sizes of all images in the store.</summary>
    public required long Logical { get; init; }

    /// <summary>All that the store takes.</summary>
    public required long Stored { get; init; }

    /// <summary>Kept for one content each.</summary>
    public required long Unique { get; init; }

    /// <summary>Kept once for several contents.</summary>
    public required long Shared { get; init; }

    /// <summary>What says which content is made of what.</summary>
    public required long Metadata { get; init; }

    /// <summary>Of transfers under way.</summary>
    public required long Staged { get; init; }

    /// <summary>What no content needs, and a collection frees.</summary>
    public required long Collectable { get; init; }

    /// <summary>Of which it is not known what needs it, since what says so is damaged: a scrub names that. 0 where all is well.</summary>
    public long Unreadable { get; init; }

    /// <summary>How many times <c>stored</c> the images are; null where nothing is stored.</summary>
    public double? Ratio { get; init; }

    /// <summary>The largest first.</summary>
    public required IReadOnlyList<ContentUseRecord> Contents { get; init; }

    /// <summary>The largest first.</summary>
    public required IReadOnlyList<ProjectUseRecord> Projects { get; init; }
}

/// <summary>What one content takes.</summary>
/// <param name="Logical">Its length.</param>
/// <param name="Unique">Bytes of the store that are kept for it alone.</param>
/// <param name="Shared">Bytes of the store that it needs and other contents too.</param>
/// <param name="Images">The images that have it; none where they were deleted just now.</param>
public sealed record ContentUseRecord(string Sha256, long Logical, long Unique, long Shared, IReadOnlyList<ContentImageRecord> Images);

/// <param name="Project">The id of the image's project.</param>
/// <param name="Replicas">In how many stores the image is ready.</param>
public sealed record ContentImageRecord(string Id, string? Name, string Project, int Replicas);

/// <summary>What the contents of one project's images take.</summary>
/// <param name="Project">The project's id.</param>
/// <param name="Logical">The sum of the sizes of its images.</param>
/// <param name="Unique">Bytes that are kept for one content each, which no other project's image has.</param>
/// <param name="Shared">Bytes that its contents need and others too, counted for each content that needs them.</param>
public sealed record ProjectUseRecord(string Project, long Images, long Logical, long Unique, long Shared);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StoreOperationRequest
{
    /// <summary><c>collect</c>, <c>scrub</c>, <c>sync</c>, <c>cleanup</c>, <c>rebuild</c> or <c>check</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>How many bytes a second a scrub reads at most; null for what the operator decided.</summary>
    public long? Rate { get; init; }

    /// <summary>The stores that a sync copies from.</summary>
    public IReadOnlyList<string>? Sources { get; init; }

    /// <summary>Has a sync give up the replicas that it copies; their content stays until the source is cleaned up.</summary>
    public bool? Move { get; init; }

    /// <summary>The ids of the images that a sync is about; null for all that the sources have.</summary>
    public IReadOnlyList<string>? Images { get; init; }

    /// <summary>Says that what a clean-up removes may go for good; it is not begun without.</summary>
    public bool? Confirm { get; init; }
}

/// <summary>Work on a whole store, as it stands now.</summary>
public sealed record StoreOperationRecord
{
    public required string Id { get; init; }

    /// <summary>The name of the store.</summary>
    public required string Store { get; init; }

    /// <summary><c>collect</c>, <c>scrub</c>, <c>sync</c>, <c>cleanup</c>, <c>rebuild</c> or <c>check</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The stores that a sync copies from.</summary>
    public IReadOnlyList<string>? Sources { get; init; }

    /// <summary>Whether a sync gives up the replicas that it copies.</summary>
    public bool Move { get; init; }

    /// <summary>The ids of the images that a sync is about; null for all that the sources have.</summary>
    public IReadOnlyList<string>? Images { get; init; }

    /// <summary><c>queued</c>, <c>running</c>, <c>done</c> or <c>failed</c>.</summary>
    public required string State { get; init; }

    /// <summary>Bytes that are done of <see cref="Total"/>: of a collection, of the contents looked at; of a scrub, of the store; else of the images. Of a check, its steps.</summary>
    public required long Done { get; init; }

    public required long Total { get; init; }

    /// <summary>How many bytes a second a scrub reads at most; null for as many as it can.</summary>
    public long? Rate { get; init; }

    /// <summary>The id of the user who asked for it; null where it was due.</summary>
    public string? User { get; init; }

    /// <summary>The name of the node that works on it or did.</summary>
    public string? Node { get; init; }

    /// <summary>What came of a collection that is done.</summary>
    public CollectionRecord? Collected { get; init; }

    /// <summary>What came of a scrub that is done.</summary>
    public ScrubRecord? Scrubbed { get; init; }

    /// <summary>What came of a sync that is done.</summary>
    public SyncRecord? Synced { get; init; }

    /// <summary>What came of a clean-up that is done.</summary>
    public CleanupRecord? CleanedUp { get; init; }

    /// <summary>What came of a rebuild that is done.</summary>
    public RebuildRecord? Rebuilt { get; init; }

    /// <summary>What came of a check that is done.</summary>
    public CheckRecord? Checked { get; init; }

    /// <summary>Why it failed.</summary>
    public FailureRecord? Failure { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    [JsonIgnore]
    public bool IsOver => State is "done" or "failed";
}

public sealed record StoreOperationList(IReadOnlyList<StoreOperationRecord> Items);

/// <param name="Freed">Bytes that were removed.</param>
/// <param name="Moved">Bytes that were written anew, to free what lay around them.</param>
/// <param name="Condemned">Bytes that a collection after the grace time frees, unless somebody needs them by then.</param>
public sealed record CollectionRecord(long Freed, long Moved, long Condemned);

/// <param name="Bytes">Bytes of the store that were read.</param>
/// <param name="Faults">None where all is well.</param>
/// <param name="Repairing">How many images are copied anew from other stores because of the faults.</param>
public sealed record ScrubRecord(long Bytes, IReadOnlyList<StoreFaultRecord> Faults, int Repairing);

/// <summary>Something in a store that is not what was written.</summary>
/// <param name="What">What is damaged or missing, as the subject of a sentence.</param>
/// <param name="Contents">The contents that cannot be read whole because of it; none where no image is concerned.</param>
public sealed record StoreFaultRecord(string What, IReadOnlyList<FaultyContentRecord> Contents);

/// <param name="Images">The images that have it now.</param>
public sealed record FaultyContentRecord(string Sha256, IReadOnlyList<ContentImageRecord> Images);

/// <param name="Copied">How many images were copied.</param>
/// <param name="Bytes">The sum of their lengths.</param>
/// <param name="Failed">How many could not be copied: their transfers say why.</param>
public sealed record SyncRecord(int Copied, long Bytes, int Failed);

/// <param name="Removed">How many images were taken out of the store.</param>
/// <param name="Bytes">The sum of their lengths; what they shared with others is not free.</param>
/// <param name="Kept">Those that have to stay, as no other store gives their content back.</param>
public sealed record CleanupRecord(int Removed, long Bytes, IReadOnlyList<KeptReplicaRecord> Kept);

/// <param name="Restored">How many images the catalogue knows again in this store.</param>
/// <param name="Known">How many it knew, as there or as deleted.</param>
/// <param name="Lost">How many are described, but their content is not there.</param>
/// <param name="Unreadable">How many descriptions are damaged, or of a later release.</param>
public sealed record RebuildRecord(int Restored, int Known, int Lost, int Unreadable);

/// <param name="ReadOnly">The store takes no new content, so that it was only read from.</param>
/// <param name="Steps">What was tried, in its order; where something was not as it should be, that is the last.</param>
/// <param name="Fault">What was not as it should be, and ended the check; null where all was.</param>
public sealed record CheckRecord(bool ReadOnly, IReadOnlyList<CheckStepRecord> Steps, FailureRecord? Fault);

/// <param name="Name">A word that never changes, as <c>commit</c>.</param>
/// <param name="Promise">What should hold, as a sentence.</param>
/// <param name="Kept">Whether it does.</param>
/// <param name="Milliseconds">How long it took; null for what does not hold.</param>
public sealed record CheckStepRecord(string Name, string Promise, bool Kept, double? Milliseconds);

/// <param name="Image">The id of the image.</param>
/// <param name="Reason">A sentence.</param>
public sealed record KeptReplicaRecord(string Image, string Reason);
