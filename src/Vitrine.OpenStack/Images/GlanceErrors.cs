using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Metadata;
using Vitrine.Nodes;
using Vitrine.OpenStack.Content;
using Vitrine.OpenStack.Identity;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>The one place where a failure becomes a Glance answer.</summary>
internal static class GlanceErrors
{
    public static int StatusOf(LibraryException error) => error switch
    {
        InvalidFieldException => StatusCodes.Status400BadRequest,
        LimitExceededException => StatusCodes.Status413PayloadTooLarge,
        ConcurrentChangeException => StatusCodes.Status409Conflict,

        UnauthenticatedException => StatusCodes.Status401Unauthorized,
        ForbiddenException => StatusCodes.Status403Forbidden,
        IdentityNotFoundException => StatusCodes.Status404NotFound,
        IdentityConflictException => StatusCodes.Status409Conflict,
        BuiltInIdentityException => StatusCodes.Status403Forbidden,
        DomainEnabledException => StatusCodes.Status403Forbidden,

        ImageNotFoundException => StatusCodes.Status404NotFound,
        ImageStatusException => StatusCodes.Status409Conflict,
        ImageDisabledException => StatusCodes.Status403Forbidden,
        ImageProtectedException => StatusCodes.Status403Forbidden,
        ImageIdTakenException => StatusCodes.Status409Conflict,
        DuplicateSourceException => StatusCodes.Status409Conflict,
        NotOwnerException => StatusCodes.Status403Forbidden,
        MemberNotFoundException => StatusCodes.Status404NotFound,
        DuplicateMemberException => StatusCodes.Status409Conflict,
        ImageNotSharedException => StatusCodes.Status403Forbidden,
        TagNotFoundException => StatusCodes.Status404NotFound,

        QuotaExceededException => StatusCodes.Status413PayloadTooLarge,
        QuotaNotFoundException => StatusCodes.Status404NotFound,
        QuotaExistsException => StatusCodes.Status409Conflict,

        DefinitionNotFoundException => StatusCodes.Status404NotFound,
        DefinitionExistsException => StatusCodes.Status409Conflict,
        DefinitionProtectedException => StatusCodes.Status403Forbidden,

        TransferNotFoundException => StatusCodes.Status404NotFound,
        TransferStateException => StatusCodes.Status409Conflict,

        // The image was deleted, or its upload cancelled, while its bytes were still coming.
        TransferLostException => StatusCodes.Status410Gone,
        UploadOffsetException => StatusCodes.Status409Conflict,
        UploadBusyException => StatusCodes.Status409Conflict,
        UploadInterruptedException => StatusCodes.Status400BadRequest,
        UploadExpiredException => StatusCodes.Status410Gone,

        // Glance has no tickets, no parts and no events.
        Events.TooManyStreamsException => StatusCodes.Status503ServiceUnavailable,
        UploadChecksumException => StatusCodes.Status400BadRequest,
        UploadPartNotFoundException => StatusCodes.Status404NotFound,
        UploadPartsException => StatusCodes.Status409Conflict,
        TicketInvalidException or TicketExpiredException => StatusCodes.Status401Unauthorized,
        TicketSpentException => StatusCodes.Status403Forbidden,
        GrantsUnavailableException => StatusCodes.Status409Conflict,
        SourceException => StatusCodes.Status400BadRequest,

        ChecksumNotPublishedException or ChecksumSignatureException => StatusCodes.Status400BadRequest,

        StoreNotFoundException or ZoneNotFoundException => StatusCodes.Status409Conflict,
        StoreClosedException => StatusCodes.Status409Conflict,
        ReplicaNotFoundException => StatusCodes.Status404NotFound,
        ReplicaExistsException or ReplicaExpectedException => StatusCodes.Status409Conflict,
        LastReplicaException or ReplicaWantedException => StatusCodes.Status403Forbidden,
        StoreFullException => StatusCodes.Status413PayloadTooLarge,
        StoreUnavailableException or StoreElsewhereException or CatalogueUnavailableException or Access.IdentityUnavailableException => StatusCodes.Status503ServiceUnavailable,

        // Behind a balancer, the next try may come to another node.
        NodeDrainingException => StatusCodes.Status503ServiceUnavailable,
        StoreDamagedException or StorePromiseException => StatusCodes.Status500InternalServerError,
        WriterBusyException => StatusCodes.Status409Conflict,

        // Glance has no way to ask for what these refuse.
        TooManyUploadsException => StatusCodes.Status429TooManyRequests,
        NodeNotFoundException => StatusCodes.Status404NotFound,
        StoreBusyException or StoreExistsException or StoreInUseException or UpkeepNotSupportedException => StatusCodes.Status409Conflict,
        StoreOperationNotFoundException or ExaminationNotFoundException => StatusCodes.Status404NotFound,

        // Not an error to Glance's clients: the image is there, it only has no data.
        ContentMissingException => StatusCodes.Status204NoContent,
        ContentMismatchException => StatusCodes.Status400BadRequest,
        Disks.FormatNotSupportedException => StatusCodes.Status400BadRequest,
        ContentLengthException => StatusCodes.Status400BadRequest,
        ContentEmptyException => StatusCodes.Status400BadRequest,
        FormatMismatchException => StatusCodes.Status400BadRequest,
        UnsafeContentException => StatusCodes.Status400BadRequest,
        NotAnImageException => StatusCodes.Status400BadRequest,
        _ => throw new NotSupportedException($"Glance has no answer for {error.GetType().Name}.", error),
    };

    /// <summary>Answers in Glance's words what any endpoint of the group throws.</summary>
    public static RouteGroupBuilder WithGlanceErrors(this RouteGroupBuilder group) =>
        group.AddEndpointFilter(async (context, next) =>
        {
            try
            {
                return await next(context);
            }
            catch (Exception) when (context.HttpContext.RequestAborted.IsCancellationRequested)
            {
                return Results.Empty; // nobody is there to be answered
            }
            catch (Exception error) when (!context.HttpContext.Response.HasStarted && Answer(error, context.HttpContext) is { } answer)
            {
                return answer;
            }
        });

    /// <returns>Null where the fault is ours and not the request's.</returns>
    private static IResult? Answer(Exception error, HttpContext context) => error switch
    {
        GlanceRefusalException refusal => new GlanceErrorAnswer(refusal.Status, refusal.Message),
        NodeDrainingException draining => AnswerLater(draining, context),
        LibraryException known => Answer(known, context.GetEndpoint()),
        UploadStalledException => new GlanceErrorAnswer(StatusCodes.Status408RequestTimeout, error.Message),
        BadHttpRequestException broken => new GlanceErrorAnswer(broken.StatusCode, broken.Message),
        _ => null,
    };

    private static IResult Answer(LibraryException error, Endpoint? endpoint) =>
        (endpoint?.Metadata.GetMetadata<OtherAnswer>() is { } other && other.Failure == error.GetType() ? other.Status : StatusOf(error)) switch
        {
            StatusCodes.Status204NoContent => TypedResults.NoContent(),
            var status => new GlanceErrorAnswer(status, MessageOf(error)),
        };

    private static IResult AnswerLater(NodeDrainingException draining, HttpContext context)
    {
        context.Response.Headers.RetryAfter = $"{NodeDrainingException.RetryAfter.TotalSeconds:0}";
        return Answer(draining, context.GetEndpoint());
    }

    private static string MessageOf(LibraryException error) => error switch
    {
        InvalidFieldException invalid => $"{ImageAttributes.GlanceNameOf(invalid.Field)}: {invalid.Reason}",

        // Clients look for these words.
        QuotaExceededException quota => $"Project {quota.Project} is over a limit for [Resource {LimitNames.Of(quota.Resource)} is over limit of "
            + $"{quota.Limit} due to current usage {quota.Use} and delta {quota.More}]",
        _ => error.Message,
    };
}

/// <summary>On an endpoint where Glance has another status for a failure than everywhere else.</summary>
internal sealed record OtherAnswer(Type Failure, int Status);
