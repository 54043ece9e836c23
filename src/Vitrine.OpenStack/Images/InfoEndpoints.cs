using System.Net.Mime;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Quotas;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Images;

/// <summary>What clients ask before they use the service: how to import, where to, and what things look like.</summary>
internal static class InfoEndpoints
{
    public static JsonHttpResult<GlanceImportInfo> ImportMethods() => GlanceJson.Answer(
        new GlanceImportInfo(new GlanceImportMethods("Import methods available.", "array", GlanceImport.Methods)),
        GlanceJson.Default.GlanceImportInfo);

    public static async Task<JsonHttpResult<GlanceStoreList>> Stores(StorePlacement placement, CancellationToken cancellationToken) =>
        Answer((await placement.ListAsync(cancellationToken)).Select(GlanceStore.From));

    public static async Task<JsonHttpResult<GlanceStoreList>> StoresInDetail(
        HttpContext context, StorePlacement placement, CancellationToken cancellationToken)
    {
        context.GetCaller().RequireAdmin("see the stores in detail");
        return Answer((await placement.ListAsync(cancellationToken)).Select(GlanceStore.Detailed));
    }

    /// <summary>Takes an image out of one store.</summary>
    public static async Task<NoContent> DeleteFromStore(
        string store, string id, HttpContext context, ImageReplicas replicas, StoreRegistry stores, CancellationToken cancellationToken)
    {
        stores.Choose(store);
        await replicas.DeleteAsync(ImageEndpoints.IdOf(id), store, context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    public static async Task<JsonHttpResult<GlanceUsage>> Usage(HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var states = await quotas.GetAsync(caller.RequireProject(), caller, cancellationToken);
        return GlanceJson.Answer(
            new GlanceUsage(states.ToDictionary(s => LimitNames.Of(s.Resource), s => new GlanceQuotaUsage(s.Limit, s.Use))),
            GlanceJson.Default.GlanceUsage);
    }

    public static Utf8ContentHttpResult Schema(string name) => GlanceSchemas.Find(name) is { } schema
        ? TypedResults.Text(schema, MediaTypeNames.Application.Json)
        : throw GlanceRefusalException.NotFound($"There is no schema '{name}'.");

    private static JsonHttpResult<GlanceStoreList> Answer(IEnumerable<GlanceStore> stores) =>
        GlanceJson.Answer(new GlanceStoreList([.. stores]), GlanceJson.Default.GlanceStoreList);
}
