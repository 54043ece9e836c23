using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Vitrine.OpenStack.Identity;

/// <summary>Tells clients, before they have a token, which versions there are.</summary>
internal static class VersionEndpoints
{
    public static void MapVersions(this IEndpointRouteBuilder root)
    {
        root.MapRead("/", List);
        root.MapRead("/v3", Show);
    }

    // 300, though there is one version only: clients know the list by it.
    private static JsonHttpResult<VersionsAnswer> List(HttpContext context) => TypedResults.Json(
        new VersionsAnswer(new VersionValues([V3(context)])), KeystoneJson.Default.VersionsAnswer,
        statusCode: StatusCodes.Status300MultipleChoices);

    private static JsonHttpResult<VersionAnswer> Show(HttpContext context) =>
        TypedResults.Json(new VersionAnswer(V3(context)), KeystoneJson.Default.VersionAnswer);

    private static KeystoneVersion V3(HttpContext context) => new(
        "v3.14", "stable", "2020-04-07T00:00:00Z", [new VersionLink("self", $"{context.RootUrl()}/")],
        [new MediaType("application/json", "application/vnd.openstack.identity-v3+json")]);
}
