using System.Globalization;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Content;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Resumable uploads: tus 1.0 with its extensions checksum, expiration, termination and concatenation.</summary>
/// <remarks>
/// Uploads are begun at <c>/api/v1/images</c>, so that they always belong to an image. In an address there is either the id of an upload, and the
/// request has a token, or a ticket. Parts of an upload are in <see cref="UploadPartEndpoints"/>.
/// </remarks>
internal static class UploadEndpoints
{
    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup(RestEndpoints.UploadsPath).WithTags("Uploads").WithRestErrors().WithTus();
        uploads.MapMethods("", [HttpMethods.Options], Describe).WithName("DescribeUploads").WithSummary("Says which tus is spoken here.");
        uploads.MapMethods("/{id}", [HttpMethods.Options], Describe).WithName("DescribeUpload").WithSummary("Says which tus is spoken here.");

        var upload = uploads.MapGroup("/{id}").RequireLoginOrTicket();
        upload.MapMethods("", [HttpMethods.Head], Head).WithName("FindUploadOffset").WithSummary("Says how many bytes the library has.")
            .Produces(StatusCodes.Status200OK);
        upload.MapPatch("", Patch).WithName("AppendToUpload")
            .WithSummary("Takes bytes from an offset on; with the last byte the content is checked and the image active.")
            .Accepts<Stream>(TusHeaders.ContentType).Produces(StatusCodes.Status204NoContent);
        upload.MapDelete("", Delete).WithName("EndUpload").WithSummary("Gives the upload up.").Produces(StatusCodes.Status204NoContent);
        upload.MapPost("", Post).WithName("ConcatenateUpload")
            .WithSummary("Begins a part of the upload, or says which parts make the whole.").Produces(StatusCodes.Status201Created);
        upload.MapUploadParts();
    }

    internal static void WriteExpiry(HttpResponse response, DateTimeOffset expires) => response.Headers[TusHeaders.Expires] = expires.ToString("R", CultureInfo.InvariantCulture);

    internal static TransferId UploadOf(string id, HttpContext context) =>
        context.Features.Get<UploadGrant>()?.Transfer ?? TransferEndpoints.IdOf(id);

    internal static Caller CallerOf(HttpContext context) => context.Features.Get<UploadGrant>()?.Caller ?? context.GetCaller();

    internal static long NumberOf(HttpRequest request, string header, string meaning) =>
        long.TryParse(request.Headers[header], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidFieldException(header, $"must be {meaning}");

    internal static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The bytes of a PATCH, which is of tus's own media type.</summary>
    /// <param name="left">How many bytes are still to come from the offset on.</param>
    internal static Stream OpenBody(HttpContext context, long? left, LibraryOptions options, TimeProvider time)
    {
        if (context.Request.ContentLength > left)
            throw new LimitExceededException("bytes of this upload that are still to come", Math.Max(0, left.Value));

        return ChecksummedBody.Over(UploadBody.Open(context, options.IdleTimeout, time), context.Request);
    }

    internal static void RequireTusBody(HttpRequest request)
    {
        if (!string.Equals(request.ContentType, TusHeaders.ContentType, StringComparison.OrdinalIgnoreCase))
            throw new UnsupportedBodyException(TusHeaders.ContentType);
    }

    internal static IResult Describe(HttpContext context, LibraryOptions options)
    {
        context.Response.Headers[TusHeaders.Version] = TusHeaders.OnlyVersion;
        context.Response.Headers[TusHeaders.Extension] = TusHeaders.Extensions;
        context.Response.Headers[TusHeaders.ChecksumAlgorithm] = ChecksummedBody.Algorithms;
        context.Response.Headers[TusHeaders.MaxSize] = Number(options.MaxImageSize);
        return TypedResults.NoContent();
    }

    /// <summary>Refuses clients of other versions, and says in every answer which one is spoken.</summary>
    private static RouteGroupBuilder WithTus(this RouteGroupBuilder group) => group.AddEndpointFilter(async (context, next) =>
    {
        var (request, response) = (context.HttpContext.Request, context.HttpContext.Response);
        response.Headers[TusHeaders.Resumable] = TusHeaders.OnlyVersion;
        if (HttpMethods.IsOptions(request.Method) || request.Headers[TusHeaders.Resumable] == TusHeaders.OnlyVersion)
            return await next(context);

        response.Headers[TusHeaders.Version] = TusHeaders.OnlyVersion;
        throw new TusVersionException();
    });

    private static RouteGroupBuilder RequireLoginOrTicket(this RouteGroupBuilder group) => group.AddEndpointFilter(async (context, next) =>
    {
        var http = context.HttpContext;
        if (HttpMethods.IsOptions(http.Request.Method))
            return await next(context);

        if (http.Features.Get<TicketFeature>() is { } hidden)
        {
            http.Features.Set(await http.RequestServices.GetRequiredService<UploadTickets>().AdmitAsync(
                hidden.Ticket, toLook: HttpMethods.IsHead(http.Request.Method), http.RequestAborted));
        }
        else
        {
            await http.LogInAsync(http.RequestAborted);
        }

        return await next(context);
    });

    private static async Task<IResult> Head(string id, HttpContext context, ImageUploads uploads, UploadParts parts, CancellationToken cancellationToken)
    {
        var (upload, caller) = (UploadOf(id, context), CallerOf(context));
        context.Response.Headers.CacheControl = "no-store";
        if ((await parts.ListAsync(upload, caller, cancellationToken)).Count > 0)
        {
            // tus: while parts are put together, or still come, the whole has no offset.
            context.Response.Headers[TusHeaders.Concat] = UploadPartEndpoints.Final;
            return TypedResults.Ok();
        }

        var transfer = await uploads.FindOffsetAsync(upload, caller, cancellationToken);
        if (transfer.Kind is not TransferKind.Upload)
            return TypedResults.StatusCode(StatusCodes.Status404NotFound);
        if (transfer.State is TransferState.Failed or TransferState.Cancelled)
            return TypedResults.StatusCode(StatusCodes.Status410Gone);

        context.Response.Headers[TusHeaders.Offset] = Number(transfer.Moved);
        context.Response.Headers[TusHeaders.Length] = Number(transfer.Length ?? 0);
        if (!transfer.IsOver)
            WriteExpiry(context.Response, uploads.ExpiryOf(transfer));
        return TypedResults.Ok();
    }

    private static async Task<IResult> Patch(
        string id, HttpContext context, ImageUploads uploads, TransferDesk desk, LibraryOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        RequireTusBody(context.Request);
        var offset = NumberOf(context.Request, TusHeaders.Offset, "the number of bytes that the library has");
        var upload = await desk.GetAsync(UploadOf(id, context), CallerOf(context), cancellationToken);
        await using var body = OpenBody(context, upload.Length - offset, options, time);
        var transfer = await uploads.AppendAsync(upload.Id, offset, body, CallerOf(context), cancellationToken);
        context.Response.Headers[TusHeaders.Offset] = Number(transfer.Moved);
        if (!transfer.IsOver)
            WriteExpiry(context.Response, uploads.ExpiryOf(transfer));
        return TypedResults.NoContent();
    }

    private static async Task<IResult> Delete(string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken)
    {
        await desk.CancelAsync(UploadOf(id, context), CallerOf(context), cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>A part or their end; or, for clients whose environment knows no PATCH or DELETE, what the header says: tus has the server obey it.</summary>
    private static async Task<IResult> Post(
        string id, HttpContext context, ImageUploads uploads, UploadParts parts, UploadTickets tickets, TransferDesk desk, LibraryOptions options, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (context.Request.Headers[TusHeaders.Concat].ToString() is { Length: > 0 } concat)
            return await UploadPartEndpoints.ConcatenateAsync(id, concat, context, parts, tickets, uploads, cancellationToken);

        return context.Request.Headers[TusHeaders.MethodOverride].ToString().ToUpperInvariant() switch
        {
            "PATCH" => await Patch(id, context, uploads, desk, options, time, cancellationToken),
            "DELETE" => await Delete(id, context, desk, cancellationToken),
            "HEAD" => await Head(id, context, uploads, parts, cancellationToken),
            _ => TypedResults.StatusCode(StatusCodes.Status405MethodNotAllowed),
        };
    }
}
