using Microsoft.Net.Http.Headers;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.OpenStack.Content;
using Vitrine.OpenStack.Identity;

namespace Vitrine.Server.Rest;

/// <summary>The content of an image: the exact bytes that were uploaded or imported.</summary>
internal static class ContentEndpoints
{
    public static void MapContent(this IEndpointRouteBuilder api) => api
        .MapMethods("/images/{id}/file", [HttpMethods.Get, HttpMethods.Head], Download).WithTags("Images").WithName("DownloadImage")
        .WithSummary("Downloads the content of an image, whole or in ranges.")
        .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream")
        .Produces(StatusCodes.Status206PartialContent, contentType: "application/octet-stream")
        .Produces(StatusCodes.Status304NotModified)
        .ProducesProblem(StatusCodes.Status416RangeNotSatisfiable);

    private static async Task<IResult> Download(string id, HttpContext context, ImageDownloads downloads, CancellationToken cancellationToken)
    {
        var download = await downloads.OpenAsync(ImageEndpoints.IdOf(id), context.GetCaller(), cancellationToken);
        var tag = new EntityTagHeaderValue($"\"{download.Content.Digest.Hex}\"");
        Describe(context.Response, download, tag);

        var headers = context.Request.GetTypedHeaders();
        if (headers.IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false) || known.Equals(EntityTagHeaderValue.Any)))
            return await RefuseAsync(download, StatusCodes.Status304NotModified);

        // A range of another version would be joined with what the client has: then it gets the whole.
        var asked = headers.IfRange is { } condition && condition.EntityTag?.Compare(tag, useStrongComparison: true) is not true
            ? new RangeHeader.Absent()
            : RangeHeader.Parse(context.Request.Headers.Range, download.Content.Size);
        if (asked is RangeHeader.Unsatisfiable)
        {
            context.Response.Headers.ContentRange = $"bytes */{download.Content.Size}";
            return await RefuseAsync(download, StatusCodes.Status416RangeNotSatisfiable);
        }

        var ranges = (asked as RangeHeader.Ranges)?.List;
        if (ranges is null)
            context.Response.Headers["Content-Digest"] = DigestOf(download.Content);
        await ContentResponse.SendAsync(context, download, ranges, cancellationToken);
        return Results.Empty;
    }

    private static void Describe(HttpResponse response, ImageDownload download, EntityTagHeaderValue tag)
    {
        response.Headers.ETag = tag.ToString();
        response.Headers["Repr-Digest"] = DigestOf(download.Content);
        response.Headers.XContentTypeOptions = "nosniff";

        // The content never changes, but who may read it does.
        response.Headers.CacheControl = "private, no-cache";
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName($"{download.Image.Name ?? download.Image.Id.ToString()}.{download.Content.Format.Word()}");
        response.Headers.ContentDisposition = disposition.ToString();
    }

    private static async Task<IResult> RefuseAsync(ImageDownload download, int status)
    {
        await download.Reader.DisposeAsync();
        return TypedResults.StatusCode(status);
    }

    /// <summary>As RFC 9530 spells it.</summary>
    private static string DigestOf(ContentFacts content) => $"sha-256=:{Convert.ToBase64String(Convert.FromHexString(content.Digest.Hex))}:";
}
