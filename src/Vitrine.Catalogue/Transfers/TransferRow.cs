using System.Collections.Immutable;
using System.Text.Json;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Transfers;

/// <summary>A transfer as its table has it.</summary>
internal sealed class TransferRow
{
    public string Id { get; init; } = "";
    public string Image { get; init; } = "";
    public string Project { get; init; } = "";
    public string Kind { get; init; } = "";
    public string? RequestedBy { get; init; }
    public string? RequestId { get; init; }
    public string Store { get; init; } = "";
    public string? SourceUrl { get; init; }
    public string? SourceSecret { get; init; }

    /// <summary>Is part of <see cref="SourceUrl"/>, for counting.</summary>
    public string? SourceHost { get; init; }

    public string? SourceStore { get; init; }
    public string? MovesFrom { get; init; }

    /// <summary>A JSON array of names.</summary>
    public string FurtherStores { get; init; } = "[]";

    public string? Operation { get; init; }

    /// <summary>As <c>sha256:…</c>.</summary>
    public string? Expected { get; init; }

    public string State { get; init; } = "";
    public string Step { get; init; } = "";
    public long? Length { get; init; }
    public long Moved { get; init; }
    public long Fetched { get; init; }
    public long Furthest { get; init; }
    public long Unpacked { get; init; }
    public long Converted { get; init; }
    public long Assembled { get; init; }
    public double Rate { get; init; }
    public int Attempt { get; init; }
    public int Fruitless { get; init; }
    public long? NextAttemptAt { get; init; }
    public string? Validator { get; init; }

    /// <summary>A JSON object; see <see cref="ContentDocument"/>.</summary>
    public string? Content { get; init; }
    public string? Node { get; init; }
    public string? NodeName { get; init; }
    public long Fence { get; init; }
    public int StagingTurn { get; init; }

    /// <summary>A JSON object.</summary>
    public string? Failure { get; init; }

    /// <summary>A JSON array of sentences.</summary>
    public string Notes { get; init; } = "[]";

    public long CreatedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? LastProgress { get; init; }
    public long? EndedAt { get; init; }
    public long Version { get; init; }

    /// <summary>The row that is to be stored for a transfer: its version is the next.</summary>
    public static TransferRow From(Transfer transfer) => new()
    {
        Id = transfer.Id.ToString(),
        Image = transfer.Image.ToString(),
        Project = transfer.Project.Value,
        Kind = transfer.Kind.Word(),
        RequestedBy = transfer.User?.Value,
        RequestId = transfer.RequestId,
        Store = transfer.Store,
        SourceUrl = transfer.SourceUrl,
        SourceSecret = transfer.SourceSecret,
        SourceHost = transfer.SourceHost is { } host && Stored.CanHold(host) ? host : null,
        SourceStore = transfer.SourceStore,
        MovesFrom = transfer.MovesFrom,
        FurtherStores = JsonSerializer.Serialize(transfer.FurtherStores),
        Operation = transfer.Operation?.ToString(),
        Expected = transfer.Expected?.ToString(),
        State = transfer.State.Word(),
        Step = transfer.Step,
        Length = transfer.Length,
        Moved = transfer.Moved,
        Fetched = transfer.Fetched,
        Furthest = transfer.Furthest,
        Unpacked = transfer.Unpacked,
        Converted = transfer.Converted,
        Assembled = transfer.Assembled,
        Rate = transfer.Rate,
        Attempt = transfer.Attempt,
        Fruitless = transfer.Fruitless,
        NextAttemptAt = Stored.Micros(transfer.NextAttemptAt),
        Validator = transfer.Validator,
        Content = ContentDocument.Write(transfer.Content),
        Node = transfer.Node,
        NodeName = transfer.NodeName,
        Fence = transfer.Fence,
        StagingTurn = transfer.StagingTurn,
        Failure = transfer.Failure is null ? null : JsonSerializer.Serialize(transfer.Failure),
        Notes = JsonSerializer.Serialize(transfer.Notes),
        CreatedAt = Stored.Micros(transfer.CreatedAt),
        StartedAt = Stored.Micros(transfer.StartedAt),
        LastProgress = Stored.Micros(transfer.LastProgress),
        EndedAt = Stored.Micros(transfer.EndedAt),
        Version = transfer.Version + 1,
    };

    public Transfer ToTransfer() => new()
    {
        Id = TransferId.Parse(Id),
        Image = ImageId.Parse(Image),
        Project = new ProjectId(Project),
        Kind = Stored.Enum<TransferKind>(Kind),
        User = RequestedBy is null ? null : new UserId(RequestedBy),
        RequestId = RequestId,
        Store = Store,
        SourceUrl = SourceUrl,
        SourceSecret = SourceSecret,
        SourceStore = SourceStore,
        MovesFrom = MovesFrom,
        FurtherStores = JsonSerializer.Deserialize<ImmutableArray<string>>(FurtherStores),
        Operation = Operation is null ? null : StoreOperationId.Parse(Operation),
        Expected = Expected is null ? null : Checksum.Parse(Expected),
        State = Stored.Enum<TransferState>(State),
        Step = Step,
        Length = Length,
        Moved = Moved,
        Fetched = Fetched,
        Furthest = Furthest,
        Unpacked = Unpacked,
        Converted = Converted,
        Assembled = Assembled,
        Rate = Rate,
        Attempt = Attempt,
        Fruitless = Fruitless,
        NextAttemptAt = Stored.Time(NextAttemptAt),
        Validator = Validator,
        Content = ContentDocument.Read(Content),
        Node = Node,
        NodeName = NodeName,
        Fence = Fence,
        StagingTurn = StagingTurn,
        Failure = Failure is null ? null : JsonSerializer.Deserialize<TransferFailure>(Failure),
        Notes = JsonSerializer.Deserialize<ImmutableArray<string>>(Notes),
        CreatedAt = Stored.Time(CreatedAt),
        StartedAt = Stored.Time(StartedAt),
        LastProgress = Stored.Time(LastProgress),
        EndedAt = Stored.Time(EndedAt),
        Version = Version,
    };
}
