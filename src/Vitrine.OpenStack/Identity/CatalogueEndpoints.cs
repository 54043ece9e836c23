using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Vitrine.OpenStack.Identity;

/// <summary>The service catalogue, piece by piece. It follows from the configuration, so it can be read only.</summary>
internal static class CatalogueEndpoints
{
    public static void MapServiceCatalogue(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/services", Services);
        v3.MapRead("/services/{id}", Service);
        v3.MapRead("/endpoints", Endpoints);
        v3.MapRead("/endpoints/{id}", Endpoint);
        v3.MapRead("/regions", Regions);
        v3.MapRead("/regions/{id}", Region);
    }

    private static JsonHttpResult<ServicesAnswer> Services(HttpContext context, ServiceCatalogue catalogue)
    {
        context.GetCaller().RequireAdmin("list services");
        var (type, name) = (context.Request.Asked("type"), context.Request.Asked("name"));
        var services = catalogue.Services(context.RootUrl())
            .Where(s => (type is null || s.Type == type) && (name is null || s.Name == name));
        return TypedResults.Json(new ServicesAnswer([.. services], context.SelfLinks()), KeystoneJson.Default.ServicesAnswer);
    }

    private static IResult Service(string id, HttpContext context, ServiceCatalogue catalogue)
    {
        context.GetCaller().RequireAdmin("get service");
        return catalogue.Services(context.RootUrl()).FirstOrDefault(s => s.Id == id) is { } service
            ? TypedResults.Json(new ServiceAnswer(service), KeystoneJson.Default.ServiceAnswer)
            : Missing("service", id);
    }

    private static JsonHttpResult<EndpointsAnswer> Endpoints(HttpContext context, ServiceCatalogue catalogue)
    {
        var request = context.Request;
        context.GetCaller().RequireAdmin("list endpoints");
        var (service, name, region) = (request.Asked("service_id"), request.Asked("interface"), request.Asked("region_id"));
        var endpoints = catalogue.Endpoints(request, context.RootUrl()).Where(e =>
            (service is null || e.ServiceId == service) && (name is null || e.Interface == name) && (region is null || e.RegionId == region));
        return TypedResults.Json(new EndpointsAnswer([.. endpoints], context.SelfLinks()), KeystoneJson.Default.EndpointsAnswer);
    }

    private static IResult Endpoint(string id, HttpContext context, ServiceCatalogue catalogue)
    {
        context.GetCaller().RequireAdmin("get endpoint");
        return catalogue.Endpoints(context.Request, context.RootUrl()).FirstOrDefault(e => e.Id == id) is { } endpoint
            ? TypedResults.Json(new EndpointAnswer(endpoint), KeystoneJson.Default.EndpointAnswer)
            : Missing("endpoint", id);
    }

    private static JsonHttpResult<RegionsAnswer> Regions(HttpContext context, ServiceCatalogue catalogue) => TypedResults.Json(
        new RegionsAnswer([RegionOf(context, catalogue)], context.SelfLinks()), KeystoneJson.Default.RegionsAnswer);

    private static IResult Region(string id, HttpContext context, ServiceCatalogue catalogue) => id == catalogue.Region
        ? TypedResults.Json(new RegionAnswer(RegionOf(context, catalogue)), KeystoneJson.Default.RegionAnswer)
        : Missing("region", id);

    private static KeystoneRegion RegionOf(HttpContext context, ServiceCatalogue catalogue) => new(
        catalogue.Region, Description: "", ParentRegionId: null,
        Links.To($"{context.RootUrl()}/regions/{Uri.EscapeDataString(catalogue.Region)}"));

    private static JsonHttpResult<KeystoneErrorAnswer> Missing(string kind, string id) =>
        KeystoneErrors.Answer(StatusCodes.Status404NotFound, $"Could not find {kind}: {id}.");
}
