using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>Bytes on their way into the library, as they stand now.</summary>
public sealed record TransferRecord
{
    public required string Id { get; init; }

    /// <summary>The id of the image that receives the content.</summary>
    public required string Image { get; init; }

    /// <summary>The id of the image's project.</summary>
    public required string Project { get; init; }

    /// <summary><c>import</c>, <c>upload</c>, <c>stream</c>, or <c>copy</c> between stores.</summary>
    public required string Kind { get; init; }

    /// <summary><c>queued</c>, <c>running</c>, <c>verifying</c>, <c>retrying</c>, <c>done</c>, <c>failed</c> or <c>cancelled</c>.</summary>
    public required string State { get; init; }

    /// <summary>What is being done within the state, as <c>receiving</c>.</summary>
    public required string Step { get; init; }

    /// <summary>What keeps a queued transfer from beginning, in a sentence; null where it only waits its turn, or does not wait.</summary>
    public string? Waiting { get; init; }

    /// <summary>The store that receives the content.</summary>
    public required string Store { get; init; }

    /// <summary>Of a copy: the store that it reads from, or read from last.</summary>
    public string? SourceStore { get; init; }

    /// <summary>The address of an import with everything secret taken out; null for uploads.</summary>
    public string? Source { get; init; }

    /// <summary>The sum that was announced, as <c>sha256:…</c>.</summary>
    public string? Checksum { get; init; }

    /// <summary>The length of the whole in bytes; null while nobody knows it.</summary>
    public long? Length { get; init; }

    /// <summary>The bytes that the store holds so far.</summary>
    public required long Moved { get; init; }

    /// <summary>All bytes taken from the source, those included that had to be taken again.</summary>
    public required long Fetched { get; init; }

    /// <summary>The bytes that were taken so far out of the wrapper in which the file came; 0 where it came without.</summary>
    public long Unpacked { get; init; }

    /// <summary>How many bytes have been made of the disk that came, where the store keeps it in another format.</summary>
    public long Converted { get; init; }

    /// <summary>The bytes that were put together so far out of the parts in which they came; 0 where they came in one.</summary>
    public long Assembled { get; init; }

    /// <summary>Bytes per second, averaged over the last seconds.</summary>
    public required double Rate { get; init; }

    /// <summary>Seconds until the last byte at the present rate; null where it cannot be told.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>How often the source was connected to.</summary>
    public required int Attempt { get; init; }

    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>The last failure: the end of a failed transfer, or what a retrying one ran into.</summary>
    public FailureRecord? Failure { get; init; }

    /// <summary>What a user should know about the way, as that a source cannot resume.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The name of the node that works on it or did last.</summary>
    public string? Node { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the last byte arrived.</summary>
    public DateTimeOffset? LastProgress { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    [JsonIgnore]
    public bool IsOver => State is "done" or "failed" or "cancelled";
}

/// <summary>Why an attempt or a transfer failed.</summary>
/// <param name="Code">A word that never changes, as <c>source-dns</c>.</param>
/// <param name="Step">What was being done.</param>
public sealed record FailureRecord(string Code, string Step, string Cause, string Remedy, string? Node, DateTimeOffset At);

/// <summary>Where a transfer stands, for a person.</summary>
/// <param name="Summary">One sentence.</param>
/// <param name="Cause">Why it does not go on; null while it does.</param>
/// <param name="Remedy">What can be done; null where nothing needs to be.</param>
public sealed record ExplanationRecord(
    TransferRecord Transfer, IReadOnlyList<StepRecord> Steps, string Summary, string? Cause, string? Remedy);

/// <param name="State"><c>done</c>, <c>current</c>, <c>pending</c>, <c>failed</c> or <c>cancelled</c>.</param>
public sealed record StepRecord(string Name, string State);

/// <summary>What happened to a transfer on all nodes, in its order.</summary>
/// <param name="KeptDays">What is older than so many days is forgotten.</param>
public sealed record TransferLogRecord(string Transfer, int KeptDays, IReadOnlyList<TransferLogEntry> Items);

/// <summary>A transfer came into a state, or to another node.</summary>
public sealed record TransferLogEntry
{
    public required DateTimeOffset At { get; init; }

    /// <inheritdoc cref="TransferRecord.State"/>
    public required string State { get; init; }

    /// <summary>The state before: the same where another node took the transfer over; null where there was none.</summary>
    public string? Previous { get; init; }

    /// <inheritdoc cref="TransferRecord.Step"/>
    public string? Step { get; init; }

    /// <summary>The name of the node that works on it, or that let go of it with this; null where none did.</summary>
    public string? Node { get; init; }

    /// <summary>How often the source had been connected to.</summary>
    public int? Attempt { get; init; }

    /// <summary>The bytes that the store had.</summary>
    public long? Moved { get; init; }

    /// <summary>The code of the failure, where the state is one.</summary>
    public string? Failure { get; init; }

    /// <summary>Why it failed, in a sentence.</summary>
    public string? Cause { get; init; }
}

/// <summary>A stretch of an upload that its client sends beside others.</summary>
/// <param name="Number">From 1, in the order in which the parts were begun.</param>
/// <param name="Url">Where to send its bytes by tus 1.0: a path on the same server.</param>
/// <param name="Moved">The bytes that the library was last known to have of it.</param>
public sealed record UploadPartRecord(int Number, string Url, long Length, long Moved);

public sealed record UploadPartList(IReadOnlyList<UploadPartRecord> Items);

/// <summary>One page of transfers, the newest first.</summary>
/// <param name="Next">The cursor of the next page; null on the last.</param>
public sealed record TransferPage(IReadOnlyList<TransferRecord> Items, string? Next);
