using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Vitrine.OpenStack.Identity;

/// <summary>Keystone v3, as far as the clients of an image service and its operators use it.</summary>
public static class KeystoneEndpoints
{
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Serves the version list under the prefix and the API under <c>prefix/v3</c>.</summary>
    /// <remarks>Nothing is served where the cloud has a Keystone of its own: that alone knows its users.</remarks>
    /// <param name="prefix">As <c>/identity</c>; the service catalogue names that one, whatever else is mapped.</param>
    public static IEndpointRouteBuilder MapKeystone(this IEndpointRouteBuilder app, string prefix = "/identity")
    {
        if (app.ServiceProvider.GetRequiredService<IOptions<OpenStackOptions>>().Value.Keystone.IsUsed)
            return app;

        var root = app.MapGroup(prefix).WithKeystoneErrors().WithMetadata(new KeystonePrefix(prefix));
        root.MapVersions();
        root.MapPost("/v3/auth/tokens", TokenEndpoints.LogIn);

        var v3 = root.MapGroup("/v3").RequireLogin();
        v3.MapTokens();
        v3.MapServiceCatalogue();
        v3.MapDomains();
        v3.MapProjects();
        v3.MapUsers();
        v3.MapRoles();
        v3.MapAssignments();
        v3.MapCredentials();
        v3.MapLimits();

        root.MapMissing();
        return app;
    }

    /// <summary>What can be got can be asked for its head.</summary>
    internal static RouteHandlerBuilder MapRead(this IEndpointRouteBuilder routes, string pattern, Delegate handler) =>
        routes.MapMethods(pattern, Reading, handler);

    /// <summary>The URL of <c>/v3</c> under which the request came in: what links begin with.</summary>
    internal static string RootUrl(this HttpContext context)
    {
        var catalogue = context.RequestServices.GetRequiredService<ServiceCatalogue>();
        var prefix = context.GetEndpoint()?.Metadata.GetMetadata<KeystonePrefix>()?.Prefix;
        return $"{catalogue.BaseUrl(context.Request)}{prefix?.TrimEnd('/')}/v3";
    }

    /// <summary>The links of a list, which name the list as it was asked for.</summary>
    internal static ListLinks SelfLinks(this HttpContext context)
    {
        var catalogue = context.RequestServices.GetRequiredService<ServiceCatalogue>();
        return ListLinks.To($"{catalogue.BaseUrl(context.Request)}{context.Request.Path}{context.Request.QueryString}");
    }

    /// <summary>A parameter of the query; null where it is absent or empty.</summary>
    internal static string? Asked(this HttpRequest request, string name) =>
        request.Query[name] is [{ Length: > 0 } value, ..] ? value : null;

    /// <summary>A flag as Keystone reads it: being there is enough, unless it says no.</summary>
    internal static bool IsAsked(this HttpRequest request, string name) =>
        request.Query.TryGetValue(name, out var value) && value is not ["0" or "false" or "False"];

    /// <summary>Whether a record fits the query's <c>enabled</c>, if there is one.</summary>
    internal static bool FitsEnabled(this HttpRequest request, bool enabled) =>
        !request.Query.ContainsKey("enabled") || request.IsAsked("enabled") == enabled;

    private sealed record KeystonePrefix(string Prefix);
}
