using System.Collections.Immutable;
using System.Text.Json;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Catalogue.Stores;

/// <summary>An operation as its table has it.</summary>
internal sealed class StoreOperationRow
{
    public string Id { get; init; } = "";
    public string Store { get; init; } = "";
    public string Kind { get; init; } = "";
    public string? RequestedBy { get; init; }
    public long? Rate { get; init; }

    /// <summary>A JSON array of names.</summary>
    public string Sources { get; init; } = "[]";

    public bool Moves { get; init; }

    /// <summary>A JSON array of ids.</summary>
    public string Images { get; init; } = "[]";

    public string State { get; init; } = "";
    public long Done { get; init; }
    public long Total { get; init; }
    public string? Node { get; init; }
    public string? NodeName { get; init; }

    /// <summary>
    /// A JSON object, by the kind: a <see cref="CollectionResult"/>, a <see cref="ScrubDocument"/>, a <see cref="SyncResult"/>, a
    /// <see cref="CleanupDocument"/>, a <see cref="RebuildResult"/> or a <see cref="CheckResult"/>.
    /// </summary>
    public string? Result { get; init; }

    /// <summary>A JSON object.</summary>
    public string? Failure { get; init; }

    public long CreatedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? EndedAt { get; init; }
    public long Version { get; init; }

    /// <summary>The row that is to be stored for an operation: its version is the next.</summary>
    public static StoreOperationRow From(StoreOperation operation) => new()
    {
        Id = operation.Id.ToString(),
        Store = operation.Store,
        Kind = operation.Kind.Word(),
        RequestedBy = operation.User?.Value,
        Rate = operation.Rate,
        Sources = JsonSerializer.Serialize(operation.Sources),
        Moves = operation.Moves,
        Images = JsonSerializer.Serialize(operation.Images.Select(i => i.ToString())),
        State = operation.State.Word(),
        Done = operation.Progress.Done,
        Total = operation.Progress.Total,
        Node = operation.Node,
        NodeName = operation.NodeName,
        Result = operation switch
        {
            { Collected: { } collected } => JsonSerializer.Serialize(collected),
            { Scrubbed: { } scrubbed } => JsonSerializer.Serialize(ScrubDocument.From(scrubbed)),
            { Synced: { } synced } => JsonSerializer.Serialize(synced),
            { CleanedUp: { } cleaned } => JsonSerializer.Serialize(CleanupDocument.From(cleaned)),
            { Rebuilt: { } rebuilt } => JsonSerializer.Serialize(rebuilt),
            { Checked: { } found } => JsonSerializer.Serialize(found),
            _ => null,
        },
        Failure = operation.Failure is null ? null : JsonSerializer.Serialize(operation.Failure),
        CreatedAt = Stored.Micros(operation.CreatedAt),
        StartedAt = Stored.Micros(operation.StartedAt),
        EndedAt = Stored.Micros(operation.EndedAt),
        Version = operation.Version + 1,
    };

    public StoreOperation ToOperation()
    {
        var kind = Stored.Enum<StoreOperationKind>(Kind);
        return new StoreOperation
        {
            Id = StoreOperationId.Parse(Id),
            Store = Store,
            Kind = kind,
            User = RequestedBy is null ? null : new UserId(RequestedBy),
            Rate = Rate,
            Sources = JsonSerializer.Deserialize<ImmutableArray<string>>(Sources),
            Moves = Moves,
            Images = JsonSerializer.Deserialize<string[]>(Images)!.Select(ImageId.Parse).ToImmutableArray(),
            State = Stored.Enum<StoreOperationState>(State),
            Progress = new UpkeepProgress(Done, Total),
            Node = Node,
            NodeName = NodeName,
            Collected = Result is not null && kind is StoreOperationKind.Collect ? JsonSerializer.Deserialize<CollectionResult>(Result) : null,
            Scrubbed = Result is not null && kind is StoreOperationKind.Scrub ? JsonSerializer.Deserialize<ScrubDocument>(Result)!.ToResult() : null,
            Synced = Result is not null && kind is StoreOperationKind.Sync ? JsonSerializer.Deserialize<SyncResult>(Result) : null,
            CleanedUp = Result is not null && kind is StoreOperationKind.Cleanup ? JsonSerializer.Deserialize<CleanupDocument>(Result)!.ToResult() : null,
            Rebuilt = Result is not null && kind is StoreOperationKind.Rebuild ? JsonSerializer.Deserialize<RebuildResult>(Result) : null,
            Checked = Result is not null && kind is StoreOperationKind.Check ? JsonSerializer.Deserialize<CheckResult>(Result) : null,
            Failure = Failure is null ? null : JsonSerializer.Deserialize<StoreOperationFailure>(Failure),
            CreatedAt = Stored.Time(CreatedAt),
            StartedAt = Stored.Time(StartedAt),
            EndedAt = Stored.Time(EndedAt),
            Version = Version,
        };
    }

    private sealed record ScrubDocument(long Bytes, int Repairing, IReadOnlyList<FaultDocument> Faults)
    {
        public static ScrubDocument From(ScrubResult result) =>
            new(result.Bytes, result.Repairing, [.. result.Faults.Select(f => new FaultDocument(f.What, [.. f.Contents.Select(c => c.Hex)]))]);

        public ScrubResult ToResult() => new(Bytes, [.. Faults.Select(f => new StoreFault(f.What, [.. f.Contents.Select(Digest.Parse)]))])
        {
            Repairing = Repairing,
        };
    }

    private sealed record CleanupDocument(int Removed, long Bytes, IReadOnlyList<KeptDocument> Kept)
    {
        public static CleanupDocument From(CleanupResult result) =>
            new(result.Removed, result.Bytes, [.. result.Kept.Select(k => new KeptDocument(k.Image.ToString(), k.Reason))]);

        public CleanupResult ToResult() => new(Removed, Bytes, [.. Kept.Select(k => new KeptReplica(ImageId.Parse(k.Image), k.Reason))]);
    }

    private sealed record KeptDocument(string Image, string Reason);

    private sealed record FaultDocument(string What, IReadOnlyList<string> Contents);
}
