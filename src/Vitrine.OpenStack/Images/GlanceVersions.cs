using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Vitrine.OpenStack.Images;

/// <summary>The versions of the protocol: which we announce, and which spellings of them paths may begin with.</summary>
/// <remarks>
/// Clients look for single versions to learn what there is: 2.12 the tasks of an image, 2.14 the image cache, 2.17 adding of
/// locations.
/// All that were ever announced are understood in paths, and mean the same.
/// </remarks>
internal static class GlanceVersions
{
    private const int NewestAlias = 16;
    private static readonly int[] Announced = [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];

    /// <summary>The first segment of the path of every resource: <c>v2</c>, or <c>v2.0</c> to <c>v2.16</c>.</summary>
    public static readonly RoutePattern Segment = RoutePatternFactory.Parse(
        "/{version}", defaults: null, parameterPolicies: new RouteValueDictionary { ["version"] = new VersionConstraint() });

    /// <summary>Discovery, which needs no token. Whatever is no path of version 2 is answered with the choice of versions.</summary>
    public static void MapGlanceVersions(this IEndpointRouteBuilder glance)
    {
        glance.MapGet("/versions", (HttpContext context) => List(context, StatusCodes.Status200OK));
        glance.Map("/", (HttpContext context) => List(context, StatusCodes.Status300MultipleChoices));
        glance.Map("/{**anything}", (HttpContext context) => List(context, StatusCodes.Status300MultipleChoices));
    }

    /// <summary>Version 2 itself is not a resource; the slash is all that its path may be told.</summary>
    public static void MapGlanceRoot(this IEndpointRouteBuilder v2)
    {
        v2.Map("/", IResult (HttpContext context) => TypedResults.Redirect(GlanceUrls.Root(context) + "/v2/"));
        v2.Map("/{**anything}", IResult () => throw GlanceRefusalException.NotFound("The resource could not be found."));
    }

    private static JsonHttpResult<GlanceVersionList> List(HttpContext context, int status)
    {
        var href = GlanceUrls.Root(context) + "/v2/";
        var versions = Announced.Select((minor, i) => new GlanceVersion(
            $"v2.{minor}", i == 0 ? "CURRENT" : "SUPPORTED", [new GlanceLink("self", href)]));
        return GlanceJson.Answer(new GlanceVersionList([.. versions]), GlanceJson.Default.GlanceVersionList, status);
    }

    private sealed class VersionConstraint : IRouteConstraint
    {
        private static readonly HashSet<string> Spellings =
            ["v2", .. Enumerable.Range(0, NewestAlias + 1).Select(minor => $"v2.{minor}")];

        public bool Match(
            HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
            values[routeKey] is string spelling && Spellings.Contains(spelling);
    }

}

internal sealed record GlanceVersionList(IReadOnlyList<GlanceVersion> Versions);

internal sealed record GlanceVersion(string Id, string Status, IReadOnlyList<GlanceLink> Links);

internal sealed record GlanceLink(string Rel, string Href);
