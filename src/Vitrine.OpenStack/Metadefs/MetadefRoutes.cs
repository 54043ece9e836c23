using System.Net.Mime;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The paths of metadata definitions.</summary>
internal static class MetadefRoutes
{
    public static void MapMetadefs(this IEndpointRouteBuilder v2)
    {
        v2.MapResource("/schemas/metadefs/{name}", GlanceMethod.Get(Schema));
        v2.MapResource("/metadefs/resource_types", GlanceMethod.Get(ResourceTypeEndpoints.List));
        v2.MapResource("/metadefs/namespaces", GlanceMethod.Get(NamespaceEndpoints.List), GlanceMethod.Post(NamespaceEndpoints.Create));

        const string Space = "/metadefs/namespaces/{space}";
        v2.MapResource(
            Space,
            GlanceMethod.Get(NamespaceEndpoints.Show), GlanceMethod.Put(NamespaceEndpoints.Update), GlanceMethod.Delete(NamespaceEndpoints.Delete));
        v2.MapResource(
            $"{Space}/properties",
            GlanceMethod.Get(PropertyEndpoints.List), GlanceMethod.Post(PropertyEndpoints.Create), GlanceMethod.Delete(PropertyEndpoints.DeleteAll));
        v2.MapResource(
            $"{Space}/properties/{{name}}",
            GlanceMethod.Get(PropertyEndpoints.Show), GlanceMethod.Put(PropertyEndpoints.Update), GlanceMethod.Delete(PropertyEndpoints.Delete));
        v2.MapResource(
            $"{Space}/objects",
            GlanceMethod.Get(ObjectEndpoints.List), GlanceMethod.Post(ObjectEndpoints.Create), GlanceMethod.Delete(ObjectEndpoints.DeleteAll));
        v2.MapResource(
            $"{Space}/objects/{{name}}",
            GlanceMethod.Get(ObjectEndpoints.Show), GlanceMethod.Put(ObjectEndpoints.Update), GlanceMethod.Delete(ObjectEndpoints.Delete));
        v2.MapResource(
            $"{Space}/tags",
            GlanceMethod.Get(TagEndpoints.List), GlanceMethod.Post(TagEndpoints.CreateSeveral), GlanceMethod.Delete(TagEndpoints.DeleteAll));
        v2.MapResource(
            $"{Space}/tags/{{tag}}",
            GlanceMethod.Get(TagEndpoints.Show), GlanceMethod.Post(TagEndpoints.Create),
            GlanceMethod.Put(TagEndpoints.Rename), GlanceMethod.Delete(TagEndpoints.Delete));
        v2.MapResource(
            $"{Space}/resource_types", GlanceMethod.Get(ResourceTypeEndpoints.ListOfNamespace), GlanceMethod.Post(ResourceTypeEndpoints.Associate));
        v2.MapResource($"{Space}/resource_types/{{type}}", GlanceMethod.Delete(ResourceTypeEndpoints.Dissociate));
    }

    private static Utf8ContentHttpResult Schema(string name) => MetadefSchemas.Find(name) is { } schema
        ? TypedResults.Text(schema, MediaTypeNames.Application.Json)
        : throw GlanceRefusalException.NotFound($"There is no schema 'metadefs/{name}'.");
}
