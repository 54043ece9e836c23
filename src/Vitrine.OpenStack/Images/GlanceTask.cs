using System.Text.Json.Serialization;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>An import or a copy as the administrators' list of tasks spells it.</summary>
/// <remarks>Only imports and copies are tasks to Glance; an upload ends with its request and needs none.</remarks>
internal sealed record GlanceTask
{
    public const string ImportType = "api_image_import";

    public static readonly TransferKind[] Kinds = [TransferKind.Import, TransferKind.Copy];

    public required string Id { get; init; }
    public string Type { get; } = ImportType;
    public required string Status { get; init; }
    public required string Owner { get; init; }
    public required string CreatedAt { get; init; }
    public required string UpdatedAt { get; init; }
    public required string Self { get; init; }
    public string Schema { get; } = "/v2/schemas/task";

    /// <summary>Tasks are kept as long as the library keeps the transfer.</summary>
    public string? ExpiresAt { get; }

    public required GlanceTaskInput Input { get; init; }
    public required GlanceTaskResult? Result { get; init; }
    public required string Message { get; init; }

    public static GlanceTask From(Transfer transfer) => new()
    {
        Id = transfer.Id.ToString(),
        Status = StatusOf(transfer.State),
        Owner = transfer.Project.Value,
        CreatedAt = GlanceTime.Of(transfer.CreatedAt),
        UpdatedAt = GlanceTime.Of(LastChangeOf(transfer)),
        Self = $"/v2/tasks/{transfer.Id}",
        Input = GlanceTaskInput.From(transfer),
        Result = GlanceTaskResult.From(transfer),
        Message = transfer.Failure?.Cause ?? "",
    };

    public static string StatusOf(TransferState state) => state switch
    {
        TransferState.Queued => "pending",
        TransferState.Running or TransferState.Verifying or TransferState.Retrying => "processing",
        TransferState.Done => "success",
        TransferState.Failed or TransferState.Cancelled => "failure",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    public static DateTimeOffset LastChangeOf(Transfer transfer) =>
        transfer.EndedAt ?? transfer.LastProgress ?? transfer.StartedAt ?? transfer.CreatedAt;
}

/// <summary>A task in a list, without what it was given and what came of it.</summary>
internal sealed record GlanceTaskSummary(
    string Id, string Type, string Status, string Owner, string CreatedAt, string UpdatedAt, string Self, string Schema)
{
    public static GlanceTaskSummary From(GlanceTask task) =>
        new(task.Id, task.Type, task.Status, task.Owner, task.CreatedAt, task.UpdatedAt, task.Self, task.Schema);
}

internal sealed record GlanceTaskList(
    IReadOnlyList<GlanceTaskSummary> Tasks,
    string First,
    string Schema,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>An import among the tasks of its image, which has more members than in the administrators' list, and other times.</summary>
internal sealed record GlanceImageTask
{
    public required string Id { get; init; }
    public string Type { get; } = GlanceTask.ImportType;
    public required string Status { get; init; }
    public required string Owner { get; init; }
    public string? ExpiresAt { get; }
    public required string CreatedAt { get; init; }
    public required string UpdatedAt { get; init; }
    public string? DeletedAt { get; }
    public bool Deleted { get; }
    public required string ImageId { get; init; }

    /// <summary>The request that began it, by the name that its answer had.</summary>
    public required string? RequestId { get; init; }

    public required string? UserId { get; init; }
    public required GlanceTaskInput Input { get; init; }
    public required GlanceTaskResult? Result { get; init; }
    public required string Message { get; init; }

    /// <summary>The imports among the transfers of one image: an import and the copies that the same request led to are one.</summary>
    /// <param name="newestFirst">All of the image.</param>
    public static IReadOnlyList<GlanceImageTask> From(IReadOnlyList<Transfer> newestFirst)
    {
        var tasks = new List<List<Transfer>>();
        foreach (var transfer in newestFirst.Reverse())
        {
            if (transfer is { Kind: TransferKind.Copy, RequestId: { } request } && tasks.LastOrDefault() is { } last && last[0].RequestId == request)
                last.Add(transfer);
            else
                tasks.Add([transfer]);
        }

        return [.. tasks.Select(t => From(t[0], t.Find(part => !part.IsOver) ?? t[0])).Reverse()];
    }

    /// <param name="present">What is being done for it, or the import itself.</param>
    private static GlanceImageTask From(Transfer transfer, Transfer present) => new()
    {
        Id = transfer.Id.ToString(),
        Status = GlanceTask.StatusOf(present.State),
        Owner = transfer.Project.Value,
        CreatedAt = GlanceTime.Precise(transfer.CreatedAt),
        UpdatedAt = GlanceTime.Precise(GlanceTask.LastChangeOf(transfer)),
        ImageId = transfer.Image.ToString(),
        RequestId = transfer.RequestId,
        UserId = transfer.User?.Value,
        Input = GlanceTaskInput.From(transfer),
        Result = GlanceTaskResult.From(transfer),
        Message = transfer.Failure?.Cause ?? "",
    };
}

internal sealed record GlanceImageTaskList(IReadOnlyList<GlanceImageTask> Tasks);

/// <summary>What an import was asked for. The address is shown without what is secret in it.</summary>
internal sealed record GlanceTaskInput(string ImageId, GlanceImportRequest ImportReq, IReadOnlyList<string> Backend)
{
    public static GlanceTaskInput From(Transfer transfer) => new(
        transfer.Image.ToString(),
        new GlanceImportRequest(MethodOf(transfer), [transfer.Store, .. transfer.FurtherStores]),
        [transfer.Store, .. transfer.FurtherStores]);

    private static GlanceImportMethod MethodOf(Transfer transfer) => transfer switch
    {
        { Kind: TransferKind.Copy } => new GlanceImportMethod(GlanceImport.CopyImage, Uri: null),
        { SourceUrl: { } url } when url.StartsWith(RegionDownload.Scheme, StringComparison.Ordinal) => new GlanceImportMethod(GlanceImport.GlanceDownload, url),
        { SourceUrl: { } url } => new GlanceImportMethod(GlanceImport.WebDownload, url),
        _ => new GlanceImportMethod(GlanceImport.GlanceDirect, Uri: null),
    };
}

internal sealed record GlanceImportRequest(GlanceImportMethod Method, IReadOnlyList<string> Stores);

internal sealed record GlanceImportMethod(
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Uri);

internal sealed record GlanceTaskResult(string ImageId)
{
    public static GlanceTaskResult? From(Transfer transfer) =>
        transfer.State is TransferState.Done ? new GlanceTaskResult(transfer.Image.ToString()) : null;
}
