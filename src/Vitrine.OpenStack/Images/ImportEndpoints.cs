using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Images;

/// <summary>Content that we fetch for an image, or copy from store to store.</summary>
internal static class ImportEndpoints
{
    public static async Task<StatusCodeHttpResult> Import(
        string id, HttpContext context, ImageLibrary library, ImageImports imports, ImageUploads uploads, ImageReplicas replicas,
        RegionDownload regions, StoreRegistry stores, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var asked = GlanceImport.Read(body.RootElement, context.Request, stores);
        var caller = context.GetCaller();
        var image = await library.GetAsync(ImageEndpoints.IdOf(id), caller, cancellationToken);
        await (asked.Method switch
        {
            GlanceImport.CopyImage => CopyAsync(image, asked, replicas, caller, context, cancellationToken),
            GlanceImport.GlanceDownload => regions.StartAsync(image, asked, caller, context, cancellationToken),
            GlanceImport.GlanceDirect => TakeStagedAsync(image, asked, uploads, caller, context, cancellationToken),
            _ => FetchAsync(image, asked, imports, caller, context, cancellationToken),
        });
        return TypedResults.StatusCode(StatusCodes.Status202Accepted);
    }

    private static async Task FetchAsync(
        Image image, GlanceImport asked, ImageImports imports, Caller caller, HttpContext context, CancellationToken cancellationToken)
    {
        ImageFileEndpoints.RequireFormats(image);

        // Glance's users may import one address as often as they like.
        var request = new ImportRequest(asked.Url!, Expected: null, asked.Stores, AllowDuplicate: true, context.TraceIdentifier);
        await imports.StartAsync(image.Id, request, caller, cancellationToken);
    }

    private static Task TakeStagedAsync(
        Image image, GlanceImport asked, ImageUploads uploads, Caller caller, HttpContext context, CancellationToken cancellationToken)
    {
        ImageFileEndpoints.RequireFormats(image);
        return uploads.ImportStagedAsync(image.Id, asked.Stores, context.TraceIdentifier, caller, cancellationToken);
    }

    private static async Task CopyAsync(
        Image image, GlanceImport asked, ImageReplicas replicas, Caller caller, HttpContext context, CancellationToken cancellationToken)
    {
        try
        {
            var request = new CopyRequest(asked.Stores ?? new StoreChoice { All = true }, RequestId: context.TraceIdentifier);
            await replicas.CopyAsync(image.Id, request, caller, cancellationToken);
        }
        catch (ReplicaExistsException) when (asked.Stores is not { Names.Count: > 0 })
        {
            // Every store has it already: there is nothing to do, which Glance's clients take for success.
        }
    }
}
