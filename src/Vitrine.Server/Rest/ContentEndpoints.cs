using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;

namespace Vitrine.Server.Rest;

/// <summary>The content of an image: the exact bytes that were uploaded or imported, or its disk in another format.</summary>
internal static class ContentEndpoints
{
    // What a request has to be equal in for the same bytes.
    private static readonly StringValues Vary = $"{HeaderNames.Accept}, {HeaderNames.AcceptEncoding}, {ZstdAnswers.FetchDestination}, {ZstdAnswers.FetchMode}";

    public static void MapContent(this IEndpointRouteBuilder api) => api
        .MapMethods("/images/{id}/file", [HttpMethods.Get, HttpMethods.Head], Download).WithTags("Images").WithName("DownloadImage")
        .WithSummary("Downloads the content of an image, whole or in ranges; in another format where the query or Accept asks for one, and as zstd where Accept-Encoding does.")
        .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream")
        .Produces(StatusCodes.Status206PartialContent, contentType: "application/octet-stream")
        .Produces(StatusCodes.Status304NotModified)
        .ProducesProblem(StatusCodes.Status416RangeNotSatisfiable)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    /// <param name="format">raw, qcow2, vmdk, vhd or vhdx; what is not there is made while it is sent.</param>
    /// <param name="variant">A kind of that format, as <c>fixed</c> of vhd.</param>
    /// <param name="compress">true or false: whether the parts of a qcow2 are compressed.</param>
    private static async Task<IResult> Download(
        string id, string? format, string? variant, string? compress, HttpContext context, ImageDownloads downloads, ImageDisks disks,
        CancellationToken cancellationToken)
    {
        var image = ImageEndpoints.IdOf(id);
        var asked = DiskMediaTypes.Asked(format, context.Request);
        var isCompressed = RestQuery.Flag("compress", compress) is true;
        if (asked is null && (variant is not null || isCompressed))
            throw new InvalidFieldException("format", "is needed where a variant or compression is asked for");

        var download = await downloads.OpenAsync(image, context.GetCaller(), cancellationToken);
        if (asked is { } other && (other != FormatOf(download) || variant is not null || isCompressed))
        {
            await download.Reader.DisposeAsync();
            var target = new ConversionTarget(other, variant, isCompressed);
            return await SendConvertedAsync(context, await disks.ConvertAsync(image, context.GetCaller(), target, cancellationToken), cancellationToken);
        }

        return await SendExactAsync(context, download, cancellationToken);
    }

    private static async Task<IResult> SendExactAsync(HttpContext context, ImageDownload download, CancellationToken cancellationToken)
    {
        var extension = ExtensionOf(download.Image, download.Content.Format);
        var plain = new EntityTagHeaderValue($"\"{download.Content.Digest.Hex}\"");
        var coded = new EntityTagHeaderValue($"\"{download.Content.Digest.Hex}.{ZstdAnswers.Coding}\"");
        if (ZstdAnswers.IsWanted(context.Request, unless: plain) && download.Reader.ZstdFrames is var frames && (frames is not null || context.Request.HasAlready(coded)))
        {
            Describe(context, download.Image, extension, coded);
            return await context.SendZstdAsync(download.Reader, frames, cancellationToken);
        }

        Describe(context, download.Image, extension, plain);
        context.Response.Headers["Repr-Digest"] = DigestOf(download.Content);
        if (!context.Request.Headers.ContainsKey(HeaderNames.Range))
            context.Response.Headers["Content-Digest"] = DigestOf(download.Content);
        return await context.SendRangesAsync(download.Reader, cancellationToken);
    }

    private static async Task<IResult> SendConvertedAsync(HttpContext context, ImageConversion made, CancellationToken cancellationToken)
    {
        await using var conversion = made.Conversion;
        var target = made.Target;
        Describe(context, made.Image, target.Format.Word(), new EntityTagHeaderValue(
            $"\"{made.Content.Digest.Hex}.{target.Format.Word()}{target.Variant}{(target.Compress ? ".compressed" : "")}\""));
        context.Response.ContentType = DiskMediaTypes.Of(target.Format);
        if (await conversion.LayOutAsync(cancellationToken) is { } content)
            return await context.SendRangesAsync(content, cancellationToken);

        // Its length is not known before its last byte.
        if (!HttpMethods.IsHead(context.Request.Method))
            await conversion.CopyToAsync(context.Response.Body, cancellationToken);
        return Results.Empty;
    }

    private static void Describe(HttpContext context, Image image, string extension, EntityTagHeaderValue tag)
    {
        var response = context.Response;
        response.Headers.ETag = tag.ToString();
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.Vary = Vary;

        // The content never changes, but who may read it does.
        response.Headers.CacheControl = "private, no-cache";
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName($"{image.Name ?? image.Id.ToString()}.{extension}");
        response.Headers.ContentDisposition = disposition.ToString();
    }

    /// <summary>What the bytes are to somebody who asks for a disk; null where something is around the disk.</summary>
    private static DiskFormat? FormatOf(ImageDownload download) =>
        download.Image.ContainerFormat is ContainerFormat.Bare ? download.Content.Format : null;

    private static string ExtensionOf(Image image, DiskFormat format) =>
        image.ContainerFormat is ContainerFormat.Ova ? ContainerFormat.Ova.Word() : format.Word();

    /// <summary>As RFC 9530 spells it.</summary>
    private static string DigestOf(ContentFacts content) => $"sha-256=:{Convert.ToBase64String(Convert.FromHexString(content.Digest.Hex))}:";
}
