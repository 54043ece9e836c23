using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Transfers: shown, cancelled, tried again, explained, and told from their beginning.</summary>
internal static class TransferEndpoints
{
    private static readonly string[] Parameters = ["image", "state", "project", "limit", "cursor"];

    public static void MapTransfers(this IEndpointRouteBuilder api)
    {
        var transfers = api.MapGroup("/transfers").WithTags("Transfers");
        transfers.MapGet("", List).WithName("ListTransfers").WithSummary("Lists transfers, the newest first, page by page.").Produces<TransferPage>();
        transfers.MapGet("/{id}", Show).WithName("ShowTransfer").WithSummary("Shows a transfer.").Produces<TransferRecord>();
        transfers.MapPost("/{id}/cancel", Cancel).WithName("CancelTransfer").WithSummary("Ends a transfer without content.").Produces<TransferRecord>();
        transfers.MapPost("/{id}/retry", Retry).WithName("RetryTransfer")
            .WithSummary("Tries an import again that failed or was cancelled; it goes on from what is still there.").Produces<TransferRecord>();
        transfers.MapGet("/{id}/explain", Explain).WithName("ExplainTransfer")
            .WithSummary("Says where a transfer stands, why, and what can be done.").Produces<ExplanationRecord>();
        transfers.MapGet("/{id}/log", ReadLog).WithName("ReadTransferLog")
            .WithSummary("Says what happened to a transfer on all nodes, in its order, as long as events are kept.").Produces<TransferLogRecord>();
    }

    private static async Task<JsonHttpResult<TransferPage>> List(
        HttpContext context, TransferDesk desk, Cursors cursors, CancellationToken cancellationToken)
    {
        var question = new RestQuery(context.Request.Query, Parameters);
        var query = new TransferQuery
        {
            Image = question.Text("image") is { } image ? ImageEndpoints.IdOf(image) : null,
            States = question.Words<TransferState>("state"),
            Project = question.Text("project") is { } project ? new ProjectId(project) : null,
            After = question.Text("cursor") is { } cursor ? new TransferId(cursors.Read(RestEndpoints.TransfersPath, cursor)) : null,
            Limit = question.Limit,
        };
        var page = await desk.ListAsync(query, context.GetCaller(), cancellationToken);
        var next = page.Count == query.Limit ? cursors.Make(RestEndpoints.TransfersPath, page[^1].Id.Value) : null;
        var waits = await desk.FindWaitsAsync(page, cancellationToken);
        return TypedResults.Json(
            new TransferPage([.. page.Select(t => WireRecords.From(t, waits.GetValueOrDefault(t.Id)))], next), LibraryJson.Default.TransferPage);
    }

    private static async Task<JsonHttpResult<TransferRecord>> Show(
        string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken)
    {
        var transfer = await desk.GetAsync(IdOf(id), context.GetCaller(), cancellationToken);
        var wait = (await desk.FindWaitsAsync([transfer], cancellationToken)).GetValueOrDefault(transfer.Id);
        return TypedResults.Json(WireRecords.From(transfer, wait), LibraryJson.Default.TransferRecord);
    }

    private static async Task<JsonHttpResult<TransferRecord>> Cancel(
        string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken) =>
        Answer(await desk.CancelAsync(IdOf(id), context.GetCaller(), cancellationToken));

    private static async Task<JsonHttpResult<TransferRecord>> Retry(
        string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken) =>
        Answer(await desk.RetryAsync(IdOf(id), context.GetCaller(), cancellationToken));

    private static async Task<JsonHttpResult<ExplanationRecord>> Explain(
        string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken) =>
        TypedResults.Json(
            WireRecords.From(await desk.ExplainAsync(IdOf(id), context.GetCaller(), cancellationToken)), LibraryJson.Default.ExplanationRecord);

    private static async Task<JsonHttpResult<TransferLogRecord>> ReadLog(
        string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken)
    {
        var transfer = IdOf(id);
        return TypedResults.Json(
            WireRecords.LogOf(transfer, await desk.ReadLogAsync(transfer, context.GetCaller(), cancellationToken)), LibraryJson.Default.TransferLogRecord);
    }

    /// <summary>What is no id names no transfer.</summary>
    internal static TransferId IdOf(string text) =>
        TransferId.TryParse(text, out var id) ? id : throw new TransferNotFoundException(text.Length <= 64 ? text : text[..64] + "…");

    private static JsonHttpResult<TransferRecord> Answer(Transfer transfer) =>
        TypedResults.Json(WireRecords.From(transfer), LibraryJson.Default.TransferRecord);
}
