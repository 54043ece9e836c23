using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Images;

/// <summary>Content that we fetch for an image.</summary>
internal static class ImportEndpoints
{
    public static async Task<StatusCodeHttpResult> Import(
        string id, HttpContext context, ImageLibrary library, ImageImports imports, StoreRegistry stores, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var asked = GlanceImport.Read(body.RootElement, context.Request, stores);
        var caller = context.GetCaller();
        var image = await library.GetAsync(ImageEndpoints.IdOf(id), caller, cancellationToken);
        ImageFileEndpoints.RequireFormats(image);

        // Glance's users may import one address as often as they like.
        var request = new ImportRequest(asked.Url, Expected: null, asked.Store, AllowDuplicate: true, context.TraceIdentifier);
        await imports.StartAsync(image.Id, request, caller, cancellationToken);
        return TypedResults.StatusCode(StatusCodes.Status202Accepted);
    }
}
