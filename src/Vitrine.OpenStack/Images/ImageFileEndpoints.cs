using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.OpenStack.Content;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Images;

/// <summary>The content of an image, in and out.</summary>
internal static class ImageFileEndpoints
{
    private const string OctetStream = "application/octet-stream";

    /// <summary>By which newer clients announce the length of what they send in chunks.</summary>
    private const string SizeHeader = "X-OpenStack-Image-Size";

    public static async Task<NoContent> Upload(
        string id, HttpContext context, ImageLibrary library, ImageUploads uploads, StoreRegistry stores, LibraryOptions options,
        TimeProvider time, CancellationToken cancellationToken)
    {
        RequireOctetStream(context.Request);
        var caller = context.GetCaller();
        var store = GlanceImport.StoreOf(context.Request, stores);
        var length = context.Request.ContentLength ?? AnnouncedLength(context.Request);
        var image = await library.GetAsync(ImageEndpoints.IdOf(id), caller, cancellationToken);
        RequireFormats(image);

        await using var body = UploadBody.Open(context, options.IdleTimeout, time);
        await uploads.ReceiveAsync(image.Id, body, length, StoreChoice.Of(store), caller, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>Takes data that an import is to make the image's.</summary>
    public static async Task<NoContent> Stage(
        string id, HttpContext context, ImageLibrary library, ImageUploads uploads, LibraryOptions options, TimeProvider time,
        CancellationToken cancellationToken)
    {
        RequireOctetStream(context.Request);
        var caller = context.GetCaller();
        var length = context.Request.ContentLength ?? AnnouncedLength(context.Request);
        var image = await library.GetAsync(ImageEndpoints.IdOf(id), caller, cancellationToken);

        await using var body = UploadBody.Open(context, options.IdleTimeout, time);
        await uploads.StageAsync(image.Id, body, length, caller, cancellationToken);
        return TypedResults.NoContent();
    }

    public static async Task<IResult> Download(string id, HttpContext context, ImageDownloads downloads, CancellationToken cancellationToken)
    {
        var download = await downloads.OpenAsync(ImageEndpoints.IdOf(id), context.GetCaller(), cancellationToken);
        try
        {
            var range = RangeOf(context, download.Content.Size);

            // Hexadecimal, and of the whole image even where a part is sent: so Glance's clients check it.
            context.Response.Headers.ContentMD5 = download.Content.Md5;
            context.Response.ContentType = OctetStream;
            await ContentResponse.SendAsync(context, download, range is { } part ? [part] : null, cancellationToken);
            return Results.Empty;
        }
        finally
        {
            await download.Reader.DisposeAsync();
        }
    }

    /// <summary>Glance's own condition before data comes, by whatever way.</summary>
    internal static void RequireFormats(Image image)
    {
        if (image.DiskFormat is null || image.ContainerFormat is null)
            throw GlanceRefusalException.BadRequest(
                "Properties disk_format and container_format must be set before the image gets data.");
    }

    private static void RequireOctetStream(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || type.MediaType != OctetStream)
            throw new GlanceRefusalException(StatusCodes.Status415UnsupportedMediaType, $"The data of an image is sent as {OctetStream}.");
    }

    private static long? AnnouncedLength(HttpRequest request) =>
        request.Headers[SizeHeader] is [{ Length: > 0 } text]
            ? long.TryParse(text, out var length) && length >= 0 ? length : throw GlanceRefusalException.BadRequest($"{SizeHeader}: '{text}' is not a number of bytes.")
            : null;

    /// <summary>The part that is asked for; null for the whole.</summary>
    /// <remarks>Older clients ask with <c>Content-Range: bytes 0-9/*</c>, which in a request means nothing else.</remarks>
    private static ByteRange? RangeOf(HttpContext context, long length)
    {
        var header = context.Request.Headers.Range.ToString() is { Length: > 0 } range ? range
            : context.Request.Headers.ContentRange.ToString() is { Length: > 0 } legacy ? FromLegacy(legacy)
            : null;
        if (header?.Contains(',', StringComparison.Ordinal) ?? false)
            throw GlanceRefusalException.BadRequest("Several ranges in one request are not supported; ask for one after the other.");

        switch (RangeHeader.Parse(header, length))
        {
            case RangeHeader.Ranges { List: [var only] }:
                return only;
            case RangeHeader.Absent { Malformed: false }:
                return null;
            default:
                context.Response.Headers.ContentRange = $"bytes */{length}";
                throw new GlanceRefusalException(StatusCodes.Status416RangeNotSatisfiable, $"The range '{header}' is not within the {length} bytes of the image.");
        }
    }

    private static string FromLegacy(string contentRange)
    {
        var slash = contentRange.IndexOf('/', StringComparison.Ordinal);
        return (slash < 0 ? contentRange : contentRange[..slash]).Replace("bytes ", "bytes=", StringComparison.Ordinal);
    }
}
