using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Client;
using Vitrine.Nodes;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>What operators look at: stores, zones, sources and the health of a node.</summary>
internal static class OperationEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("").WithTags("Operations");
        group.MapGet("/stores", ListStores).WithName("ListStores").WithSummary("Lists the stores, with their use and health.").Produces<StoreList>();
        group.MapGet("/zones", ListZones).WithName("ListZones").WithSummary("Lists the zones.").Produces<ZoneList>();
        group.MapPost("/probe", Probe).WithName("ProbeSource").WithSummary("Asks a source about a file, without fetching it.")
            .Accepts<ProbeRequest>("application/json").Produces<ProbeRecord>();
        group.MapGet("/doctor", Examine).WithName("ExamineNode")
            .WithSummary("Looks whether this node can do its work; for administrators.").Produces<DoctorRecord>();
        group.MapPost("/examinations", BeginExamination).WithName("BeginExamination")
            .WithSummary("Has all nodes look whether they can do their work; for administrators.")
            .Accepts<ExaminationRequest>("application/json").Produces<ExaminationRecord>(StatusCodes.Status202Accepted);
        group.MapGet("/examinations/{id}", ShowExamination).WithName("ShowExamination")
            .WithSummary("Shows what each node found, and which have not answered yet; for administrators.").Produces<ExaminationRecord>();
    }

    private static async Task<JsonHttpResult<StoreList>> ListStores(
        IReplicaCatalogue catalogue, StoreSurvey survey, CancellationToken cancellationToken)
    {
        var stores = await catalogue.ListStoresAsync(cancellationToken);
        var records = await Task.WhenAll(stores.Select(s => survey.OfAsync(s, cancellationToken)));
        return TypedResults.Json(new StoreList(records), LibraryJson.Default.StoreList);
    }

    private static async Task<JsonHttpResult<ZoneList>> ListZones(IReplicaCatalogue catalogue, CancellationToken cancellationToken)
    {
        var zones = await catalogue.ListZonesAsync(cancellationToken);
        return TypedResults.Json(new ZoneList([.. zones.Select(z => new ZoneRecord(z.Name, z.Description))]), LibraryJson.Default.ZoneList);
    }

    private static async Task<JsonHttpResult<ProbeRecord>> Probe(HttpContext context, SourceRegistry sources, CancellationToken cancellationToken)
    {
        context.GetCaller().RequireMember("probe a source");
        var said = await context.Request.ReadAsync(LibraryJson.Default.ProbeRequest, cancellationToken);
        var address = sources.Parse(said.Url ?? throw new InvalidFieldException("url", "is needed"));
        var probe = await sources.For(address).ProbeAsync(address, cancellationToken);
        return TypedResults.Json(WireRecords.From(probe), LibraryJson.Default.ProbeRecord);
    }

    private static async Task<JsonHttpResult<DoctorRecord>> Examine(HttpContext context, Doctor doctor, CancellationToken cancellationToken)
    {
        context.GetCaller().RequireAdmin("examine a node");
        var url = new RestQuery(context.Request.Query, ["url"]).Text("url");
        return TypedResults.Json(WireRecords.From(await doctor.ExamineAsync(url, cancellationToken)), LibraryJson.Default.DoctorRecord);
    }

    private static async Task<JsonHttpResult<ExaminationRecord>> BeginExamination(
        HttpContext context, Examinations examinations, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin(Examinations.Action);
        var said = await context.Request.ReadAsync(LibraryJson.Default.ExaminationRequest, cancellationToken);
        var begun = WireRecords.From(await examinations.BeginAsync(said.Url, caller, cancellationToken));
        context.Response.Headers.Location = $"{RestEndpoints.ApiPath}/examinations/{begun.Id}";
        return TypedResults.Json(begun, LibraryJson.Default.ExaminationRecord, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<JsonHttpResult<ExaminationRecord>> ShowExamination(
        string id, HttpContext context, Examinations examinations, CancellationToken cancellationToken) =>
        TypedResults.Json(WireRecords.From(await examinations.GetAsync(id, context.GetCaller(), cancellationToken)), LibraryJson.Default.ExaminationRecord);
}
