using System.Diagnostics;
using Microsoft.AspNetCore.WebUtilities;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.Content;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Metadata;
using Vitrine.Nodes;
using Vitrine.OpenStack.Content;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>The one place where a failure becomes an answer of our own face: a problem as RFC 9457 has it.</summary>
internal static partial class RestErrors
{
    public const string ContentType = "application/problem+json";

    public static int StatusOf(LibraryException error) => error switch
    {
        InvalidFieldException or MalformedBodyException or MalformedFormException or UploadInterruptedException => StatusCodes.Status400BadRequest,
        StoreNotFoundException or ZoneNotFoundException => StatusCodes.Status400BadRequest,
        UnauthenticatedException or TicketInvalidException or TicketExpiredException => StatusCodes.Status401Unauthorized,
        ForbiddenException or NotOwnerException or BuiltInIdentityException or TicketSpentException => StatusCodes.Status403Forbidden,
        ImageNotFoundException or MemberNotFoundException or TagNotFoundException or ContentMissingException
            or TransferNotFoundException or UploadPartNotFoundException or StoreOperationNotFoundException or ReplicaNotFoundException or IdentityNotFoundException
            or DefinitionNotFoundException or NodeNotFoundException or ExaminationNotFoundException or QuotaNotFoundException => StatusCodes.Status404NotFound,
        ConcurrentChangeException or ImageStatusException or ImageDisabledException or ImageProtectedException
            or ImageIdTakenException or DuplicateSourceException or DuplicateMemberException or ImageNotSharedException
            or TransferStateException or TransferLostException or UploadOffsetException or UploadPartsException or GrantsUnavailableException
            or StoreBusyException or StoreExistsException or StoreInUseException or UpkeepNotSupportedException or StoreClosedException
            or ReplicaExistsException or ReplicaExpectedException or LastReplicaException or ReplicaWantedException
            or IdentityConflictException or DomainEnabledException
            or DefinitionExistsException or QuotaExistsException or DefinitionProtectedException => StatusCodes.Status409Conflict,
        UploadExpiredException => StatusCodes.Status410Gone,
        TusVersionException or VersionMismatchException => StatusCodes.Status412PreconditionFailed,
        LimitExceededException or QuotaExceededException => StatusCodes.Status413PayloadTooLarge,
        StoreElsewhereException => StatusCodes.Status421MisdirectedRequest,
        TooManyUploadsException => StatusCodes.Status429TooManyRequests,
        UnsupportedBodyException => StatusCodes.Status415UnsupportedMediaType,
        ContentMismatchException or ContentLengthException or ContentEmptyException or FormatMismatchException
            or UnsafeContentException or NotAnImageException or Disks.FormatNotSupportedException
            or ChecksumNotPublishedException or ChecksumSignatureException => StatusCodes.Status422UnprocessableEntity,
        UploadChecksumException => TusHeaders.ChecksumMismatch,
        UploadBusyException or WriterBusyException => StatusCodes.Status423Locked,
        SourceException source => StatusOf(source.Fault),
        StoreDamagedException or StorePromiseException => StatusCodes.Status500InternalServerError,
        StoreUnavailableException or CatalogueUnavailableException or IdentityUnavailableException or NodeDrainingException or TooManyStreamsException =>
            StatusCodes.Status503ServiceUnavailable,
        StoreFullException => StatusCodes.Status507InsufficientStorage,
        _ => throw new NotSupportedException($"The REST face has no answer for {error.GetType().Name}.", error),
    };

    /// <summary>Answers what any endpoint of the group throws.</summary>
    public static TBuilder WithRestErrors<TBuilder>(this TBuilder group) where TBuilder : IEndpointConventionBuilder =>
        group.AddEndpointFilter(async (context, next) =>
        {
            try
            {
                return await next(context);
            }
            catch (Exception error) when (!context.HttpContext.Response.HasStarted)
            {
                return AnswerTo(error, context.HttpContext) ?? throw new UnreachableException();
            }
        });

    /// <summary>Fills the empty answers that the framework itself gives below our paths: no such path, no such method.</summary>
    public static IApplicationBuilder UseRestProblems(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        await next(context);
        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null } response && IsOurs(context.Request.Path))
            await Describe(context, response.StatusCode).ExecuteAsync(context);
    });

    /// <summary>Answers of all faces where the catalogue is away, be it before an endpoint is reached: 503, and to ask again soon.</summary>
    public static IApplicationBuilder UseCatalogueFailures(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (Exception error) when (!context.Response.HasStarted && CatalogueUnavailableException.From(error) is not null)
        {
            context.Response.Clear();
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
            if (IsOurs(context.Request.Path))
                await Answer(CatalogueUnavailableException.From(error)!, context).ExecuteAsync(context);
        }
    });

    /// <summary>What a browser or a program needs to log in, in answers of 401.</summary>
    public static void Challenge(HttpResponse response) => response.Headers.WWWAuthenticate = "Bearer";

    private static IResult? AnswerTo(Exception error, HttpContext context) => error switch
    {
        LibraryException known => Answer(known, context),
        UploadStalledException stalled => new ProblemAnswer(Problem(
            context, StatusCodes.Status408RequestTimeout, "upload-stalled", stalled.Message, "Ask for the offset and go on there.")),
        BadHttpRequestException bad => AnswerTo(bad, context),
        _ when context.RequestAborted.IsCancellationRequested => Results.StatusCode(StatusCodes.Status499ClientClosedRequest),
        _ when CatalogueUnavailableException.From(error) is { } away => Answer(away, context),
        _ => Unexpected(error, context),
    };

    private static ProblemAnswer Answer(LibraryException error, HttpContext context)
    {
        // A store that the path names is what was asked for; one that the body names is a field like others.
        var status = error is StoreNotFoundException && context.Request.RouteValues.ContainsKey(StoreEndpoints.Name)
            ? StatusCodes.Status404NotFound
            : StatusOf(error);
        if (status is StatusCodes.Status401Unauthorized)
            Challenge(context.Response);
        if (error is UploadOffsetException offset)
            context.Response.Headers[TusHeaders.Offset] = $"{offset.Expected}";

        if (error is NodeDrainingException)
            context.Response.Headers.RetryAfter = $"{NodeDrainingException.RetryAfter.TotalSeconds:0}";

        return new ProblemAnswer(Problem(context, status, error.Code, error.Message, error.Remedy, FieldOf(error)));
    }

    private static ProblemAnswer AnswerTo(BadHttpRequestException error, HttpContext context) => error.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => Answer(new LimitExceededException("bytes of a JSON body", RestBody.MaxLength), context),
        _ => new ProblemAnswer(Problem(
            context, error.StatusCode, "bad-request", "The request ended before its body was complete, or is not valid HTTP.", "Send it again.")),
    };

    private static ProblemAnswer Unexpected(Exception error, HttpContext context)
    {
        LogUnexpected(
            context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(RestErrors).FullName!), error,
            context.Request.Method, context.Request.Path);
        return new ProblemAnswer(Problem(
            context, StatusCodes.Status500InternalServerError, "internal", "An unexpected error happened in the library.",
            "Tell the operator the request's id, which finds it in the node's log."));
    }

    private static ProblemAnswer Describe(HttpContext context, int status) => new(status switch
    {
        StatusCodes.Status404NotFound => Problem(
            context, status, "no-such-path", "There is nothing at this path.", "The paths are described at /api/v1/openapi.json."),
        StatusCodes.Status405MethodNotAllowed => Problem(
            context, status, "no-such-method", $"{context.Request.Method} is not possible here.", $"Use {context.Response.Headers.Allow}."),
        _ => Problem(context, status, "refused", $"The request was refused: {ReasonPhrases.GetReasonPhrase(status)}.", "Correct the request."),
    });

    private static ProblemRecord Problem(HttpContext context, int status, string code, string detail, string remedy, string? field = null) => new(
        Type: "about:blank", ReasonPhrases.GetReasonPhrase(status), status, detail, code, field, remedy, context.TraceIdentifier);

    private static string? FieldOf(LibraryException error) => error switch
    {
        InvalidFieldException invalid => invalid.Field,
        StoreNotFoundException => "store",
        ZoneNotFoundException => "zone",
        ChecksumNotPublishedException or ChecksumSignatureException => "checksum",
        SourceException { Fault: SourceFault.MalformedUrl or SourceFault.Refused } => "url",
        _ => null,
    };

    private static int StatusOf(SourceFault fault) => fault switch
    {
        SourceFault.MalformedUrl or SourceFault.Refused => StatusCodes.Status400BadRequest,
        SourceFault.ConnectTimeout or SourceFault.Stalled => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status502BadGateway,
    };

    private static bool IsOurs(PathString path) => path.StartsWithSegments("/api/v1") || path.StartsWithSegments("/uploads");

    [LoggerMessage(LogLevel.Error, "{Method} {Path} ended with an unexpected error")]
    private static partial void LogUnexpected(ILogger logger, Exception error, string method, PathString path);

    private sealed class ProblemAnswer(ProblemRecord problem) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = problem.Status;
            httpContext.Response.Headers.CacheControl = "no-store";

            // The rest of a body that is too long, or does not come, is not worth waiting for.
            if (problem.Status is StatusCodes.Status408RequestTimeout or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status421MisdirectedRequest
                || httpContext.Response.Headers.RetryAfter.Count > 0)
                httpContext.Response.Headers.Connection = "close";
            await httpContext.Response.WriteAsJsonAsync(problem, LibraryJson.Default.ProblemRecord, ContentType, httpContext.RequestAborted);
        }
    }
}
