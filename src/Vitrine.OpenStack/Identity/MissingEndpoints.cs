using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;

namespace Vitrine.OpenStack.Identity;

/// <summary>Answers in Keystone's form what no route serves: 405 where another method would do, else 404.</summary>
internal static class MissingEndpoints
{
    public static void MapMissing(this IEndpointRouteBuilder root) => root.Map("/{**rest}", Refuse);

    private static JsonHttpResult<KeystoneErrorAnswer> Refuse(HttpContext context, EndpointDataSource endpoints)
    {
        var allowed = MethodsOf(context.Request.Path, endpoints);
        if (allowed.Count == 0)
            return KeystoneErrors.Answer(StatusCodes.Status404NotFound, "The resource could not be found.");

        context.Response.Headers.Allow = string.Join(", ", allowed);
        return KeystoneErrors.Answer(StatusCodes.Status405MethodNotAllowed, "The method is not allowed for the requested URL.");
    }

    private static SortedSet<string> MethodsOf(PathString path, EndpointDataSource endpoints)
    {
        var methods =
            from endpoint in endpoints.Endpoints.OfType<RouteEndpoint>()
            let metadata = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()
            where metadata is not null && Matches(endpoint.RoutePattern, path)
            from method in metadata.HttpMethods
            select method;
        return new SortedSet<string>(methods, StringComparer.Ordinal);
    }

    private static bool Matches(RoutePattern pattern, PathString path) =>
        new TemplateMatcher(new RouteTemplate(pattern), new RouteValueDictionary()).TryMatch(path, new RouteValueDictionary());
}
