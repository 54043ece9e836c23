using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Client;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.Server.Rest;

/// <summary>One store: added, shown, reported on, opened and closed, and worked on; for administrators.</summary>
internal static class StoreEndpoints
{
    /// <summary>The part of a path that names the store.</summary>
    public const string Name = "store";

    public static void MapStores(this IEndpointRouteBuilder api)
    {
        api.MapPost("/stores", Add).WithTags("Stores").WithName("AddStore").WithSummary("Adds a store while the library runs; for administrators.")
            .Accepts<StoreCreate>("application/json").Produces<StoreRecord>(StatusCodes.Status201Created);
        var store = api.MapGroup($"/stores/{{{Name}}}").WithTags("Stores");
        store.MapGet("", Show).WithName("ShowStore").WithSummary("Shows a store, with its use and health; for administrators.").Produces<StoreRecord>();
        store.MapPatch("", Change).WithName("ChangeStore").WithSummary("Opens a store to new content or closes it, has copies take another address of its server, or has other stores get all that it has; for administrators.")
            .Accepts<StoreChange>("application/json").Produces<StoreRecord>();
        store.MapGet("/retired", ListRetired).WithName("ListRetiredReplicas")
            .WithSummary("Lists what was left in a store by images that moved away; for administrators.").Produces<RetiredReplicaList>();
        store.MapGet("/report", Report).WithName("ReportOnStore")
            .WithSummary("Says what a store keeps and for whom, and what is shared; for administrators.").Produces<StoreReportRecord>();
        store.MapPost("/operations", Begin).WithName("BeginStoreOperation")
            .WithSummary("Begins to collect, scrub, sync, clean up, rebuild or check a store; for administrators.")
            .Accepts<StoreOperationRequest>("application/json").Produces<StoreOperationRecord>(StatusCodes.Status202Accepted);
        store.MapGet("/operations", List).WithName("ListStoreOperations")
            .WithSummary("Lists what was done to a store, the newest first; for administrators.").Produces<StoreOperationList>();
        store.MapGet("/operations/{id}", ShowOperation).WithName("ShowStoreOperation")
            .WithSummary("Shows an operation of a store; for administrators.").Produces<StoreOperationRecord>();
    }

    private static async Task<JsonHttpResult<StoreRecord>> Add(
        HttpContext context, AddedStores stores, IReplicaCatalogue catalogue, IReplicationCatalogue replications, StoreSurvey survey, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("add a store");
        var said = await context.Request.ReadAsync(LibraryJson.Default.StoreCreate, cancellationToken);
        var addition = new StoreAddition(
            said.Name ?? throw new InvalidFieldException("name", "is needed"), said.Kind ?? throw new InvalidFieldException("kind", "is needed"))
        {
            Path = said.Path,
            Settings = said.Settings ?? new Dictionary<string, string>(),
            Zone = said.Zone,
            Description = said.Description ?? "",
            SyncAddress = said.SyncAddress is { Length: > 0 } address ? SyncRoutes.Parse(address) : null,
        };
        var added = await stores.AddAsync(addition, caller, cancellationToken);
        context.Response.Headers.Location = $"{RestEndpoints.ApiPath}/stores/{Uri.EscapeDataString(added.Name)}";
        return TypedResults.Json(
            await LookAsync(added.Name, catalogue, replications, survey, cancellationToken), LibraryJson.Default.StoreRecord, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<StoreRecord>> Show(
        string store, HttpContext context, IReplicaCatalogue catalogue, IReplicationCatalogue replications, StoreSurvey survey, CancellationToken cancellationToken)
    {
        context.GetCaller().RequireAdmin("look at a store");
        return TypedResults.Json(await LookAsync(store, catalogue, replications, survey, cancellationToken), LibraryJson.Default.StoreRecord);
    }

    private static async Task<JsonHttpResult<StoreRecord>> Change(
        string store, HttpContext context, IReplicaCatalogue catalogue, StoreOperations operations, SyncRoutes routes, Replication replication,
        IReplicationCatalogue replications, StoreSurvey survey, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("change a store");
        var said = await context.Request.ReadAsync(LibraryJson.Default.StoreChange, cancellationToken);
        if (said is { Mode: null, SyncAddress: null, ReplicatesTo: null })
            throw new InvalidFieldException("mode", "or syncAddress or replicatesTo is needed");

        var mode = said.Mode is null ? (StoreMode?)null : EnumWords.Parse<StoreMode>(said.Mode, "mode");
        if (said.ReplicatesTo is not null)
            await replication.CheckTargetsAsync(store, said.ReplicatesTo, cancellationToken);
        if (said.SyncAddress is { } address)
            await routes.SetAsync(store, address.Length > 0 ? SyncRoutes.Parse(address) : null, caller, cancellationToken);
        if (said.ReplicatesTo is { } targets)
            await replication.SetTargetsAsync(store, targets, caller, cancellationToken);
        if (mode is { } wanted)
            await operations.SetModeAsync(store, wanted, caller, cancellationToken);
        return TypedResults.Json(await LookAsync(store, catalogue, replications, survey, cancellationToken), LibraryJson.Default.StoreRecord);
    }

    private static async Task<JsonHttpResult<RetiredReplicaList>> ListRetired(
        string store, HttpContext context, IReplicaCatalogue catalogue, IImageCatalogue images, CancellationToken cancellationToken)
    {
        context.GetCaller().RequireAdmin("look at a store");
        await FindAsync(store, catalogue, cancellationToken);
        var records = new List<RetiredReplicaRecord>();
        foreach (var replica in await catalogue.ListRetiredAsync(store, cancellationToken))
        {
            var image = await images.FindAsync(replica.Image, cancellationToken);
            records.Add(new RetiredReplicaRecord(replica.Image.ToString(), image?.Name, replica.Size ?? 0, replica.UpdatedAt));
        }

        return TypedResults.Json(new RetiredReplicaList(records), LibraryJson.Default.RetiredReplicaList);
    }

    private static async Task<JsonHttpResult<StoreReportRecord>> Report(
        string store, HttpContext context, IReplicaCatalogue catalogue, StoreReports reports, StoreRegistry registry, CancellationToken cancellationToken)
    {
        context.GetCaller().RequireAdmin("report on a store");
        var found = InReach(await FindAsync(store, catalogue, cancellationToken), registry);
        return TypedResults.Json(await reports.ReportAsync(found, cancellationToken), LibraryJson.Default.StoreReportRecord);
    }

    private static async Task<JsonHttpResult<StoreOperationRecord>> Begin(
        string store, HttpContext context, IReplicaCatalogue catalogue, StoreOperations operations, StoreReports reports, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("work on a store");
        var said = await context.Request.ReadAsync(LibraryJson.Default.StoreOperationRequest, cancellationToken);
        var kind = EnumWords.Parse<StoreOperationKind>(said.Kind ?? throw new InvalidFieldException("kind", "is needed"), "kind");
        await FindAsync(store, catalogue, cancellationToken);
        var task = new StoreTask(kind, said.Rate, said.Move ?? false, said.Confirm ?? false)
        {
            Sources = said.Sources ?? [],
            Images = [.. (said.Images ?? []).Select(ImageOf)],
        };
        var begun = await operations.RequestAsync(store, task, caller, cancellationToken);
        context.Response.Headers.Location = $"{RestEndpoints.ApiPath}/stores/{Uri.EscapeDataString(store)}/operations/{begun.Id}";
        return TypedResults.Json(
            await reports.DescribeAsync(begun, cancellationToken), LibraryJson.Default.StoreOperationRecord, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<JsonHttpResult<StoreOperationList>> List(
        string store, HttpContext context, IReplicaCatalogue catalogue, StoreOperations operations, StoreReports reports, CancellationToken cancellationToken)
    {
        var all = await operations.ListAsync(store, context.GetCaller(), cancellationToken);
        await FindAsync(store, catalogue, cancellationToken);
        return TypedResults.Json(new StoreOperationList(await reports.DescribeAsync(store, all, cancellationToken)), LibraryJson.Default.StoreOperationList);
    }

    private static async Task<JsonHttpResult<StoreOperationRecord>> ShowOperation(
        string store, string id, HttpContext context, IReplicaCatalogue catalogue, StoreOperations operations, StoreReports reports,
        CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("see what is done to a store");
        await FindAsync(store, catalogue, cancellationToken);
        var operation = await operations.GetAsync(store, IdOf(id), caller, cancellationToken);
        return TypedResults.Json(await reports.DescribeAsync(operation, cancellationToken), LibraryJson.Default.StoreOperationRecord);
    }

    private static async Task<LibraryStore> FindAsync(string name, IReplicaCatalogue catalogue, CancellationToken cancellationToken) =>
        (await catalogue.ListStoresAsync(cancellationToken)).FirstOrDefault(s => s.Name == name)
            ?? throw new StoreNotFoundException(name.Length <= 64 ? name : name[..64] + "…");

    private static async Task<StoreRecord> LookAsync(
        string name, IReplicaCatalogue catalogue, IReplicationCatalogue replications, StoreSurvey survey, CancellationToken cancellationToken)
    {
        var store = await FindAsync(name, catalogue, cancellationToken);
        var rules = await replications.ListRulesAsync(cancellationToken);
        return await survey.OfAsync(store, cancellationToken) with
        {
            SyncAddress = store.SyncAddress?.AbsoluteUri,
            ReplicatesTo = [.. rules.Where(r => r.Store == name).Select(r => r.Target)],
        };
    }

    private static LibraryStore InReach(LibraryStore store, StoreRegistry registry) => registry.Has(store.Name)
        ? store
        : throw new StoreUnavailableException(store.Name, $"only the nodes of the zone '{store.Zone}' reach it.");

    private static ImageId ImageOf(string text) =>
        ImageId.TryParse(text, out var id) ? id : throw new InvalidFieldException("images", "has something that is no id of an image");

    private static StoreOperationId IdOf(string text) =>
        StoreOperationId.TryParse(text, out var id) ? id : throw new StoreOperationNotFoundException(text.Length <= 64 ? text : text[..64] + "…");
}
