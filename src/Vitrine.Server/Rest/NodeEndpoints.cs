using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Client;
using Vitrine.Nodes;
using Vitrine.OpenStack.Identity;

namespace Vitrine.Server.Rest;

/// <summary>The nodes: listed, shown, drained and opened; for administrators.</summary>
internal static class NodeEndpoints
{
    public static void MapNodes(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("Nodes");
        nodes.MapGet("", List).WithName("ListNodes").WithSummary("Lists the nodes, how they are and what they work on; for administrators.")
            .Produces<NodeList>();
        nodes.MapGet("/{name}", Show).WithName("ShowNode").WithSummary("Shows a node; for administrators.").Produces<NodeRecord>();
        nodes.MapPatch("/{name}", Change).WithName("ChangeNode").WithSummary("Has a node take nothing new, or opens it again; for administrators.")
            .Accepts<NodeChange>("application/json").Produces<NodeRecord>();
    }

    private static async Task<JsonHttpResult<NodeList>> List(HttpContext context, NodeDesk desk, CancellationToken cancellationToken)
    {
        var all = await desk.ListAsync(context.GetCaller(), cancellationToken);
        return TypedResults.Json(new NodeList([.. all.Select(WireRecords.From)]), LibraryJson.Default.NodeList);
    }

    private static async Task<JsonHttpResult<NodeRecord>> Show(string name, HttpContext context, NodeDesk desk, CancellationToken cancellationToken) =>
        TypedResults.Json(WireRecords.From(await desk.GetAsync(Shown(name), context.GetCaller(), cancellationToken)), LibraryJson.Default.NodeRecord);

    private static async Task<JsonHttpResult<NodeRecord>> Change(string name, HttpContext context, NodeDesk desk, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("drain or open a node");
        var said = await context.Request.ReadAsync(LibraryJson.Default.NodeChange, cancellationToken);
        var mode = EnumWords.Parse<NodeMode>(said.Mode ?? throw new InvalidFieldException("mode", "is needed"), "mode");
        return TypedResults.Json(
            WireRecords.From(await desk.SetModeAsync(Shown(name), mode, caller, cancellationToken)), LibraryJson.Default.NodeRecord);
    }

    /// <summary>No node has a longer name, and no message should.</summary>
    private static string Shown(string name) => name.Length <= 64 ? name : name[..64] + "…";
}
