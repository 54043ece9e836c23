using System.Net.Mime;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Images;

/// <summary>What clients ask before they use the service: how to import, where to, and what things look like.</summary>
internal static class InfoEndpoints
{
    public static JsonHttpResult<GlanceImportInfo> ImportMethods() => GlanceJson.Answer(
        new GlanceImportInfo(new GlanceImportMethods("Import methods available.", "array", GlanceImport.Methods)),
        GlanceJson.Default.GlanceImportInfo);

    public static JsonHttpResult<GlanceStoreList> Stores(StoreRegistry stores) =>
        GlanceJson.Answer(new GlanceStoreList([.. stores.All.Select(GlanceStore.From)]), GlanceJson.Default.GlanceStoreList);

    public static JsonHttpResult<GlanceStoreList> StoresInDetail(HttpContext context, StoreRegistry stores)
    {
        context.GetCaller().RequireAdmin("see the stores in detail");
        return GlanceJson.Answer(new GlanceStoreList([.. stores.All.Select(GlanceStore.Detailed)]), GlanceJson.Default.GlanceStoreList);
    }

    public static JsonHttpResult<GlanceUsage> Usage() =>
        GlanceJson.Answer(new GlanceUsage(new Dictionary<string, GlanceQuotaUsage>()), GlanceJson.Default.GlanceUsage);

    public static Utf8ContentHttpResult Schema(string name) => GlanceSchemas.Find(name) is { } schema
        ? TypedResults.Text(schema, MediaTypeNames.Application.Json)
        : throw GlanceRefusalException.NotFound($"There is no schema '{name}'.");
}
