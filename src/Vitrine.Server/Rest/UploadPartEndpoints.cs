using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Client;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Parts of an upload that a client sends at once: tus's extension <c>concatenation</c>.</summary>
/// <remarks>
/// A part is begun, and all are put together, by a POST to the upload, so that parts always belong to one; the final upload of tus is the upload
/// itself. The answer to the last POST is the library's promise to put them together; how that goes, the transfer says.
/// </remarks>
internal static class UploadPartEndpoints
{
    public const string Partial = "partial";
    public const string Final = "final";

    /// <summary>In bytes: the addresses of all parts that an upload may have come in one header, each with a ticket of some 350.</summary>
    public const int MostHeaders = 64 * 1024;

    private const string Parts = "parts";

    public static void MapUploadPartList(this IEndpointRouteBuilder api) => api.MapGet("/transfers/{id}/parts", List)
        .WithTags("Uploads").WithName("ListUploadParts").WithSummary("Lists the parts of an upload, in the order in which they were begun.").Produces<UploadPartList>();

    public static void MapUploadParts(this IEndpointRouteBuilder upload)
    {
        var part = upload.MapGroup($"/{Parts}/{{number}}");
        part.MapMethods("", [HttpMethods.Options], UploadEndpoints.Describe).WithName("DescribeUploadPart").WithSummary("Says which tus is spoken here.");
        part.MapMethods("", [HttpMethods.Head], Head).WithName("FindUploadPartOffset").WithSummary("Says how many bytes the library has of a part.")
            .Produces(StatusCodes.Status200OK);
        part.MapPatch("", Patch).WithName("AppendToUploadPart").WithSummary("Takes bytes of a part from an offset on.")
            .Accepts<Stream>(TusHeaders.ContentType).Produces(StatusCodes.Status204NoContent);
        part.MapDelete("", Delete).WithName("EndUploadPart").WithSummary("Gives a part up.").Produces(StatusCodes.Status204NoContent);
        part.MapPost("", Override).ExcludeFromDescription();
    }

    /// <param name="concat"><c>partial</c>, or <c>final;</c> and the addresses of the parts in their order.</param>
    public static async Task<IResult> ConcatenateAsync(
        string id, string concat, HttpContext context, UploadParts parts, UploadTickets tickets, ImageUploads uploads, CancellationToken cancellationToken)
    {
        var (upload, caller) = (UploadEndpoints.UploadOf(id, context), UploadEndpoints.CallerOf(context));
        var path = $"{RestEndpoints.UploadsPath}/{context.Features.Get<TicketFeature>()?.Ticket ?? upload.ToString()}";
        if (concat == Partial)
        {
            var length = UploadEndpoints.NumberOf(context.Request, TusHeaders.Length, "the length of the part in bytes");
            var part = await parts.AddAsync(upload, length, caller, cancellationToken);
            context.Response.Headers.Location = $"{path}/{Parts}/{UploadEndpoints.Number(part.Number)}";
            return TypedResults.StatusCode(StatusCodes.Status201Created);
        }

        if (!concat.StartsWith(Final + ";", StringComparison.Ordinal))
            throw new InvalidFieldException(TusHeaders.Concat, $"must be {Partial}, or {Final}; and the addresses of the parts");

        var order = concat[(Final.Length + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(address => NumberOf(address, upload, tickets)).ToList();
        var transfer = await parts.JoinAsync(upload, order, caller, cancellationToken);
        context.Response.Headers.Location = path;
        UploadEndpoints.WriteExpiry(context.Response, uploads.ExpiryOf(transfer));
        return TypedResults.StatusCode(StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<UploadPartList>> List(string id, HttpContext context, UploadParts parts, CancellationToken cancellationToken)
    {
        var upload = TransferEndpoints.IdOf(id);
        var found = await parts.ListAsync(upload, context.GetCaller(), cancellationToken);
        return TypedResults.Json(
            new UploadPartList([.. found.Select(p => new UploadPartRecord(
                p.Number, $"{RestEndpoints.UploadsPath}/{upload}/{Parts}/{UploadEndpoints.Number(p.Number)}", p.Length, p.Moved))]),
            LibraryJson.Default.UploadPartList);
    }

    private static async Task<IResult> Head(
        string id, string number, HttpContext context, UploadParts parts, CancellationToken cancellationToken)
    {
        var part = await parts.FindOffsetAsync(UploadEndpoints.UploadOf(id, context), NumberOf(number), UploadEndpoints.CallerOf(context), cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers[TusHeaders.Concat] = Partial;
        context.Response.Headers[TusHeaders.Offset] = UploadEndpoints.Number(part.Moved);
        context.Response.Headers[TusHeaders.Length] = UploadEndpoints.Number(part.Length);
        return TypedResults.Ok();
    }

    private static async Task<IResult> Patch(
        string id, string number, HttpContext context, UploadParts parts, LibraryOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        UploadEndpoints.RequireTusBody(context.Request);
        var offset = UploadEndpoints.NumberOf(context.Request, TusHeaders.Offset, "the number of bytes that the library has");
        var (upload, caller) = (UploadEndpoints.UploadOf(id, context), UploadEndpoints.CallerOf(context));
        var part = await parts.FindOffsetAsync(upload, NumberOf(number), caller, cancellationToken);
        await using var body = UploadEndpoints.OpenBody(context, part.Length - offset, options, time);
        var after = await parts.AppendAsync(upload, part.Number, offset, body, caller, cancellationToken);
        context.Response.Headers[TusHeaders.Offset] = UploadEndpoints.Number(after.Moved);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> Delete(string id, string number, HttpContext context, UploadParts parts, CancellationToken cancellationToken)
    {
        await parts.RemoveAsync(UploadEndpoints.UploadOf(id, context), NumberOf(number), UploadEndpoints.CallerOf(context), cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> Override(
        string id, string number, HttpContext context, UploadParts parts, LibraryOptions options, TimeProvider time, CancellationToken cancellationToken) =>
        context.Request.Headers[TusHeaders.MethodOverride].ToString().ToUpperInvariant() switch
        {
            "PATCH" => await Patch(id, number, context, parts, options, time, cancellationToken),
            "DELETE" => await Delete(id, number, context, parts, cancellationToken),
            "HEAD" => await Head(id, number, context, parts, cancellationToken),
            _ => TypedResults.StatusCode(StatusCodes.Status405MethodNotAllowed),
        };

    /// <summary>What is no number names no part.</summary>
    private static int NumberOf(string number) => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;

    /// <param name="address">A path or a URL, under the upload's id or under any ticket for it.</param>
    private static int NumberOf(string address, TransferId upload, UploadTickets tickets)
    {
        var path = Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme.StartsWith("http", StringComparison.Ordinal) ? url.AbsolutePath : address;
        return path.Split('/') is ["", var folder, var name, Parts, var number] && $"/{folder}" == RestEndpoints.UploadsPath
            && (TransferId.TryParse(name, out var id) ? id == upload : tickets.Names(name, upload))
            ? NumberOf(number)
            : throw new InvalidFieldException(TusHeaders.Concat, "names what is no part of this upload");
    }
}
