using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>Imports and copies as Glance's tasks.</summary>
internal static class TaskEndpoints
{
    /// <summary>Far more than anybody tries to import one image.</summary>
    private const int MaxOfImage = 1000;

    public static async Task<JsonHttpResult<GlanceImageTaskList>> ListOfImage(
        string id, HttpContext context, ImageLibrary library, TransferDesk desk, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var image = await library.GetAsync(ImageEndpoints.IdOf(id), caller, cancellationToken);
        var query = new TransferQuery { Image = image.Id, Kinds = GlanceTask.Kinds, Limit = MaxOfImage };
        var transfers = await desk.ListAsync(query, caller, cancellationToken);
        return GlanceJson.Answer(new GlanceImageTaskList(GlanceImageTask.From(transfers)), GlanceJson.Default.GlanceImageTaskList);
    }

    public static async Task<JsonHttpResult<GlanceTaskList>> List(HttpContext context, TransferDesk desk, CancellationToken cancellationToken)
    {
        const string Path = "/v2/tasks";
        var caller = context.GetCaller();
        caller.RequireAdmin("list tasks");

        var query = GlanceQuery.Of(context.Request);
        var listing = TaskListing.Read(query);
        var marker = query.Marker is { } id ? await FindMarkerAsync(id, desk, caller, cancellationToken) : null;
        var transfers = await listing.RunAsync(desk, caller, marker, cancellationToken).ToListAsync(cancellationToken);
        var next = transfers.Count > 0 && transfers.Count == listing.Limit ? query.LinkTo(Path, transfers[^1].Id.ToString()) : null;
        return GlanceJson.Answer(
            new GlanceTaskList(
                [.. transfers.Select(GlanceTask.From).Select(GlanceTaskSummary.From)], query.LinkTo(Path, marker: null), "/v2/schemas/tasks", next),
            GlanceJson.Default.GlanceTaskList);
    }

    public static async Task<JsonHttpResult<GlanceTask>> Show(string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("show tasks");
        return GlanceJson.Answer(GlanceTask.From(await FindAsync(id, desk, caller, cancellationToken)), GlanceJson.Default.GlanceTask);
    }

    private static async Task<Transfer> FindMarkerAsync(string id, TransferDesk desk, Caller caller, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(id, desk, caller, cancellationToken);
        }
        catch (TransferNotFoundException)
        {
            throw GlanceRefusalException.BadRequest($"Invalid marker. Task {id} could not be found.");
        }
    }

    /// <exception cref="TransferNotFoundException">There is none, or it is no task to Glance.</exception>
    private static async Task<Transfer> FindAsync(string id, TransferDesk desk, Caller caller, CancellationToken cancellationToken) =>
        TransferId.TryParse(id, out var known) && await desk.GetAsync(known, caller, cancellationToken) is { } transfer
            && GlanceTask.Kinds.Contains(transfer.Kind)
            ? transfer
            : throw new TransferNotFoundException(id);
}
