using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Metadefs;

namespace Vitrine.OpenStack.Images;

/// <summary>Glance v2: the image service that OpenStack's clients speak to.</summary>
public static class GlanceEndpoints
{
    /// <summary>Serves the version list under the prefix and the API under <c>prefix/v2</c>, whatever minor version a path names.</summary>
    /// <remarks>
    /// Every path below the prefix is answered here: what is no resource, with the list of versions. An empty prefix is for a
    /// listener of its own, as port 9292; narrow the returned group to it with <c>RequireHost</c>.
    /// </remarks>
    /// <param name="prefix">As <c>/image</c>; the service catalogue names that one, whatever else is mapped.</param>
    public static RouteGroupBuilder MapGlance(this IEndpointRouteBuilder app, string prefix = "/image")
    {
        var glance = app.MapGroup(prefix);
        glance.WithMetadata(new GlancePrefix(prefix.TrimEnd('/')));
        glance.MapGlanceVersions();

        var v2 = glance.MapGroup(GlanceVersions.Segment).WithRequestIds().WithGlanceErrors().RequireLogin().WithoutTrailingSlashes();
        v2.MapImages();
        v2.MapMembers();
        v2.MapTasks();
        v2.MapDiscovery();
        v2.MapMetadefs();
        v2.MapGlanceRoot();
        return glance;
    }

    private static void MapImages(this IEndpointRouteBuilder v2)
    {
        v2.MapResource("/images", GlanceMethod.Get(ImageEndpoints.List), GlanceMethod.Post(ImageEndpoints.Create));
        v2.MapResource(
            "/images/{id}",
            GlanceMethod.Get(ImageEndpoints.Show),
            GlanceMethod.Patch(ImageEndpoints.Update).Answering<ImageStatusException>(StatusCodes.Status403Forbidden),
            GlanceMethod.Delete(ImageEndpoints.Delete));
        v2.MapResource(
            "/images/{id}/file",
            GlanceMethod.Get(ImageFileEndpoints.Download),
            GlanceMethod.Put(ImageFileEndpoints.Upload));
        v2.MapResource("/images/{id}/stage", GlanceMethod.Put(ImageFileEndpoints.Stage));
        v2.MapResource("/images/{id}/import", GlanceMethod.Post(ImportEndpoints.Import));
        v2.MapResource("/images/{id}/tags/{tag}", GlanceMethod.Put(ImageEndpoints.AddTag), GlanceMethod.Delete(ImageEndpoints.RemoveTag));
        v2.MapResource(
            "/images/{id}/actions/deactivate",
            GlanceMethod.Post(ImageEndpoints.Deactivate).Answering<ImageStatusException>(StatusCodes.Status403Forbidden));
        v2.MapResource(
            "/images/{id}/actions/reactivate",
            GlanceMethod.Post(ImageEndpoints.Reactivate).Answering<ImageStatusException>(StatusCodes.Status403Forbidden));
    }

    private static void MapMembers(this IEndpointRouteBuilder v2)
    {
        v2.MapResource("/images/{id}/members", GlanceMethod.Get(MemberEndpoints.List), GlanceMethod.Post(MemberEndpoints.Add));
        v2.MapResource(
            "/images/{id}/members/{member}",
            GlanceMethod.Get(MemberEndpoints.Show),
            GlanceMethod.Put(MemberEndpoints.Decide),
            GlanceMethod.Delete(MemberEndpoints.Remove));
    }

    private static void MapTasks(this IEndpointRouteBuilder v2)
    {
        v2.MapResource("/images/{id}/tasks", GlanceMethod.Get(TaskEndpoints.ListOfImage));
        v2.MapResource("/tasks", GlanceMethod.Get(TaskEndpoints.List));
        v2.MapResource("/tasks/{id}", GlanceMethod.Get(TaskEndpoints.Show));
    }

    private static void MapDiscovery(this IEndpointRouteBuilder v2)
    {
        v2.MapResource("/info/import", GlanceMethod.Get(InfoEndpoints.ImportMethods));
        v2.MapResource("/info/stores", GlanceMethod.Get(InfoEndpoints.Stores));
        v2.MapResource("/info/stores/detail", GlanceMethod.Get(InfoEndpoints.StoresInDetail));
        v2.MapResource("/stores/{store}/{id}", GlanceMethod.Delete(InfoEndpoints.DeleteFromStore));
        v2.MapResource("/cache", GlanceMethod.Get(CacheEndpoints.List), GlanceMethod.Delete(CacheEndpoints.Clear));
        v2.MapResource("/cache/{id}", GlanceMethod.Put(CacheEndpoints.Queue), GlanceMethod.Delete(CacheEndpoints.Delete));
        v2.MapResource("/info/usage", GlanceMethod.Get(InfoEndpoints.Usage));
        v2.MapResource("/schemas/{name}", GlanceMethod.Get(InfoEndpoints.Schema));
    }
}
