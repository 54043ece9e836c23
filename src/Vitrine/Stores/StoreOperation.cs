using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Names an operation for ever.</summary>
public readonly record struct StoreOperationId(Guid Value)
{
    public static StoreOperationId New() => new(Guid.CreateVersion7());

    public static bool TryParse(string? text, [NotNullWhen(true)] out StoreOperationId id)
    {
        var parsed = Guid.TryParseExact(text, "D", out var value);
        id = new StoreOperationId(value);
        return parsed;
    }

    public static StoreOperationId Parse(string text) => new(Guid.ParseExact(text, "D"));

    public override string ToString() => Value.ToString("D");
}

public enum StoreOperationKind
{
    /// <summary><see cref="IStoreUpkeep.CollectAsync"/>.</summary>
    Collect,

    /// <summary><see cref="IStoreUpkeep.ScrubAsync"/>.</summary>
    Scrub,

    /// <summary>Copies into the store what other stores have and it has not.</summary>
    Sync,

    /// <summary>Removes what was left behind when images moved away, once their content elsewhere was read and found sound.</summary>
    Cleanup,

    /// <summary>Makes a lost catalogue know again what the store has.</summary>
    Rebuild,

    /// <summary>Goes through what every store promises, with a content of its own.</summary>
    Check,
}

public enum StoreOperationState
{
    /// <summary>Waits for a node.</summary>
    Queued,
    Running,
    Done,
    Failed,
}

/// <summary>Work on a whole store, as it stands now. Of each store one collection or scrub at most is not over, and one of each other kind.</summary>
/// <remarks>
/// A pure record: its methods answer the next one. An operation whose node died begins again on whichever node takes it next, which costs
/// time and nothing else.
/// </remarks>
public sealed record StoreOperation
{
    public required StoreOperationId Id { get; init; }
    public required string Store { get; init; }
    public required StoreOperationKind Kind { get; init; }

    /// <summary>Who asked for it; null where it was due.</summary>
    public UserId? User { get; init; }

    /// <summary>How many bytes a second a scrub reads at most; null for as many as it can.</summary>
    public long? Rate { get; init; }

    /// <summary>Of a sync: the stores that are copied from.</summary>
    public ImmutableArray<string> Sources { get; init; } = [];

    /// <summary>Of a sync: the replicas that are copied are given up then.</summary>
    public bool Moves { get; init; }

    /// <summary>Of a sync: the images that it is about; none for all that the sources have.</summary>
    public ImmutableArray<ImageId> Images { get; init; } = [];

    public StoreOperationState State { get; init; } = StoreOperationState.Queued;

    /// <summary>How far it is.</summary>
    public UpkeepProgress Progress { get; init; }

    /// <summary>The run of a node that works on it or did last; <see cref="Nodes.Node.Instance"/>.</summary>
    public string? Node { get; init; }

    /// <summary>The name of that node, for people.</summary>
    public string? NodeName { get; init; }

    /// <summary>What came of a collection; null before it is done.</summary>
    public CollectionResult? Collected { get; init; }

    /// <summary>What came of a scrub; null before it is done.</summary>
    public ScrubResult? Scrubbed { get; init; }

    /// <summary>What came of a sync; null before it is done.</summary>
    public SyncResult? Synced { get; init; }

    /// <summary>What came of a clean-up; null before it is done.</summary>
    public CleanupResult? CleanedUp { get; init; }

    /// <summary>What came of a rebuild; null before it is done.</summary>
    public RebuildResult? Rebuilt { get; init; }

    /// <summary>What came of a check; null before it is done.</summary>
    public CheckResult? Checked { get; init; }

    /// <summary>Why it failed.</summary>
    public StoreOperationFailure? Failure { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public long Version { get; init; }

    public bool IsOver => State is StoreOperationState.Done or StoreOperationState.Failed;

    /// <summary>A collection that was due, and did nothing or could not.</summary>
    public bool IsQuiet => User is null && Kind is StoreOperationKind.Collect && (State is StoreOperationState.Failed || Collected is { Freed: 0, Moved: 0, Condemned: 0 });

    /// <summary>A node takes it, from the queue or from a node that is gone.</summary>
    public StoreOperation Take(string node, string nodeName, DateTimeOffset now) => IsOver ? this : this with
    {
        State = StoreOperationState.Running,
        Progress = default,
        Node = node,
        NodeName = nodeName,
        StartedAt = StartedAt ?? now,
    };

    public StoreOperation Advance(UpkeepProgress progress) => IsOver ? this : this with { Progress = progress };

    /// <summary>The node stops, and leaves it to whoever comes.</summary>
    public StoreOperation Release() => IsOver ? this : this with { State = StoreOperationState.Queued, Node = null, NodeName = null };

    public StoreOperation Finish(CollectionResult result, DateTimeOffset now) => Finish(now) with { Collected = result };

    public StoreOperation Finish(ScrubResult result, DateTimeOffset now) => Finish(now) with { Scrubbed = result };

    public StoreOperation Finish(SyncResult result, DateTimeOffset now) => Finish(now) with { Synced = result };

    public StoreOperation Finish(CleanupResult result, DateTimeOffset now) => Finish(now) with { CleanedUp = result };

    public StoreOperation Finish(RebuildResult result, DateTimeOffset now) => Finish(now) with { Rebuilt = result };

    public StoreOperation Finish(CheckResult result, DateTimeOffset now) => Finish(now) with { Checked = result };

    public StoreOperation Fail(StoreOperationFailure failure, DateTimeOffset now) =>
        this with { State = StoreOperationState.Failed, Failure = failure, EndedAt = now };

    private StoreOperation Finish(DateTimeOffset now) =>
        this with { State = StoreOperationState.Done, Progress = Progress with { Done = Progress.Total }, Failure = null, EndedAt = now };
}

/// <param name="Copied">How many images were copied.</param>
/// <param name="Bytes">The sum of their lengths.</param>
/// <param name="Failed">How many could not be copied: their transfers say why.</param>
public sealed record SyncResult(int Copied, long Bytes, int Failed);

/// <param name="Removed">How many images were taken out of the store.</param>
/// <param name="Bytes">The sum of their lengths; what they shared with others is not free.</param>
/// <param name="Kept">Those that have to stay.</param>
public sealed record CleanupResult(int Removed, long Bytes, IReadOnlyList<KeptReplica> Kept);

/// <param name="Restored">How many images the catalogue knows again in this store.</param>
/// <param name="Known">How many it knew, as there or as deleted.</param>
/// <param name="Lost">How many are described, but their content is not there.</param>
/// <param name="Unreadable">How many descriptions are damaged, or of a later release.</param>
public sealed record RebuildResult(int Restored, int Known, int Lost, int Unreadable);

/// <param name="IsReadOnly">The store takes no new content, so that it was only read from.</param>
/// <param name="Steps">What was found in order, one after the other.</param>
/// <param name="Fault">What was not, and ended the check; null where all was.</param>
public sealed record CheckResult(bool IsReadOnly, IReadOnlyList<CheckStep> Steps, CheckFault? Fault);

/// <param name="Name">A word that never changes, as <c>commit</c>.</param>
/// <param name="Promise">What was seen to hold, as a sentence.</param>
public sealed record CheckStep(string Name, string Promise, TimeSpan Took);

/// <param name="Step">The <see cref="CheckStep.Name"/> of what was being tried.</param>
/// <param name="Promise">What should have held, as a sentence.</param>
public sealed record CheckFault(string Step, string Promise, StoreOperationFailure Failure);

/// <summary>What a clean-up did not remove.</summary>
/// <param name="Reason">A sentence.</param>
public sealed record KeptReplica(ImageId Image, string Reason);

/// <summary>Why an operation failed, for a person and for a program.</summary>
/// <param name="Code">A word that never changes, as <c>store-unavailable</c>.</param>
/// <param name="Cause">A sentence without paths.</param>
/// <param name="Remedy">What can be done about it.</param>
public sealed record StoreOperationFailure(string Code, string Cause, string Remedy);
