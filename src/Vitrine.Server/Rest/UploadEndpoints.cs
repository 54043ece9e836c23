using System.Globalization;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Content;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Resumable uploads: the core of tus 1.0, and its extension <c>termination</c>.</summary>
/// <remarks>
/// Uploads are begun at <c>/api/v1/images</c>, so that they always belong to an image. In an address there is either the id of an upload, and the
/// request has a token, or a ticket.
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
        upload.MapPost("", Override).ExcludeFromDescription();
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

    private static IResult Describe(HttpContext context, LibraryOptions options)
    {
        context.Response.Headers[TusHeaders.Version] = TusHeaders.OnlyVersion;
        context.Response.Headers[TusHeaders.Extension] = "termination";
        context.Response.Headers[TusHeaders.MaxSize] = Number(options.MaxImageSize);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> Head(string id, HttpContext context, ImageUploads uploads, CancellationToken cancellationToken)
    {
        var transfer = await uploads.FindOffsetAsync(UploadOf(id, context), CallerOf(context), cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        if (transfer.Kind is not TransferKind.Upload)
            return TypedResults.StatusCode(StatusCodes.Status404NotFound);
        if (transfer.State is TransferState.Failed or TransferState.Cancelled)
            return TypedResults.StatusCode(StatusCodes.Status410Gone);

        context.Response.Headers[TusHeaders.Offset] = Number(transfer.Moved);
        context.Response.Headers[TusHeaders.Length] = Number(transfer.Length ?? 0);
        return TypedResults.Ok();
    }

    private static async Task<IResult> Patch(
        string id, HttpContext context, ImageUploads uploads, TransferDesk desk, LibraryOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!string.Equals(context.Request.ContentType, TusHeaders.ContentType, StringComparison.OrdinalIgnoreCase))
            throw new UnsupportedBodyException(TusHeaders.ContentType);

        var offset = OffsetOf(context.Request);
        var upload = await desk.GetAsync(UploadOf(id, context), CallerOf(context), cancellationToken);
        if (context.Request.ContentLength > upload.Length - offset)
            throw new LimitExceededException("bytes of this upload", upload.Length ?? 0);

        await using var body = UploadBody.Open(context, options.IdleTimeout, time);
        var transfer = await uploads.AppendAsync(upload.Id, offset, body, CallerOf(context), cancellationToken);
        context.Response.Headers[TusHeaders.Offset] = Number(transfer.Moved);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> Delete(string id, HttpContext context, TransferDesk desk, CancellationToken cancellationToken)
    {
        await desk.CancelAsync(UploadOf(id, context), CallerOf(context), cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>For clients whose environment knows no PATCH or DELETE; tus has the server obey the header.</summary>
    private static async Task<IResult> Override(
        string id, HttpContext context, ImageUploads uploads, TransferDesk desk, LibraryOptions options, TimeProvider time, CancellationToken cancellationToken) =>
        context.Request.Headers[TusHeaders.MethodOverride].ToString().ToUpperInvariant() switch
        {
            "PATCH" => await Patch(id, context, uploads, desk, options, time, cancellationToken),
            "DELETE" => await Delete(id, context, desk, cancellationToken),
            "HEAD" => await Head(id, context, uploads, cancellationToken),
            _ => TypedResults.StatusCode(StatusCodes.Status405MethodNotAllowed),
        };

    private static TransferId UploadOf(string id, HttpContext context) =>
        context.Features.Get<UploadGrant>()?.Transfer ?? TransferEndpoints.IdOf(id);

    private static Caller CallerOf(HttpContext context) => context.Features.Get<UploadGrant>()?.Caller ?? context.GetCaller();

    private static long OffsetOf(HttpRequest request) =>
        long.TryParse(request.Headers[TusHeaders.Offset], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : throw new InvalidFieldException(TusHeaders.Offset, "must be the number of bytes that the library has");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
