using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Client;
using Vitrine.Limits;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>How much may happen at once, on all nodes; for administrators.</summary>
internal static class LimitEndpoints
{
    private const string Unlimited = "none";

    public static void MapLimits(this IEndpointRouteBuilder api)
    {
        var limits = api.MapGroup("/limits").WithTags("Nodes");
        limits.MapGet("", List).WithName("ListLimits").WithSummary("Lists how much may happen at once; for administrators.").Produces<LimitList>();
        limits.MapPatch("", Change).WithName("ChangeLimits")
            .WithSummary("Changes limits by their names while the library runs: a number, \"none\", or null for what is configured; for administrators.")
            .Accepts<JsonObject>("application/json").Produces<LimitList>();
    }

    private static async Task<JsonHttpResult<LimitList>> List(HttpContext context, LimitDesk desk, CancellationToken cancellationToken) =>
        TypedResults.Json(WireRecords.From(await desk.ReadAsync(context.GetCaller(), cancellationToken)), LibraryJson.Default.LimitList);

    private static async Task<JsonHttpResult<LimitList>> Change(
        HttpContext context, LimitDesk desk, TransferQueue queue, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("change limits");
        var body = await context.Request.ReadObjectAsync(cancellationToken);
        var changes = body.Fields().Keys.Select(name => Read(LimitNames.Parse(name), body.GetProperty(name))).ToList();
        var limits = await desk.ChangeAsync(changes, caller, cancellationToken);

        // Other nodes see it at their next heartbeat.
        queue.LookAgain();
        return TypedResults.Json(WireRecords.From(limits), LibraryJson.Default.LimitList);
    }

    private static LimitChange Read(LimitName name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => new LimitChange(name, Value: null, AsConfigured: true),
        JsonValueKind.Number when value.TryGetInt64(out var number) => new LimitChange(name, number),
        JsonValueKind.String when value.ValueEquals(Unlimited) => new LimitChange(name, Value: null),
        _ => throw new InvalidFieldException(name.Spelled(), $"must be a whole number, \"{Unlimited}\", or null for what is configured"),
    };
}
