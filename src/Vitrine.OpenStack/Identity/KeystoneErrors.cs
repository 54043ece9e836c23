using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;
using Vitrine.Quotas;

namespace Vitrine.OpenStack.Identity;

/// <summary>The one place where a failure becomes a Keystone answer.</summary>
internal static class KeystoneErrors
{
    public const string RequestIdHeader = "x-openstack-request-id";

    /// <summary>Knows the failures of identity and those that any request can meet; no other comes out of identity.</summary>
    public static int StatusOf(LibraryException error) => error switch
    {
        UnauthenticatedException => StatusCodes.Status401Unauthorized,
        ForbiddenException or BuiltInIdentityException or DomainEnabledException => StatusCodes.Status403Forbidden,
        IdentityNotFoundException or QuotaNotFoundException => StatusCodes.Status404NotFound,
        IdentityConflictException or QuotaExistsException or ConcurrentChangeException => StatusCodes.Status409Conflict,
        InvalidFieldException => StatusCodes.Status400BadRequest,
        LimitExceededException => StatusCodes.Status413PayloadTooLarge,
        CatalogueUnavailableException or IdentityUnavailableException => StatusCodes.Status503ServiceUnavailable,
        _ => throw new NotSupportedException($"Keystone has no answer for {error.GetType().Name}.", error),
    };

    /// <summary>Answers in Keystone's words what any endpoint of the group throws, with the headers that all answers have.</summary>
    public static TBuilder WithKeystoneErrors<TBuilder>(this TBuilder group) where TBuilder : IEndpointConventionBuilder =>
        group.AddEndpointFilter(async (context, next) =>
        {
            AddHeaders(context.HttpContext.Response);
            try
            {
                return await next(context);
            }
            catch (LibraryException error)
            {
                return Answer(error, context.HttpContext);
            }
        });

    public static JsonHttpResult<KeystoneErrorAnswer> Answer(int status, string message)
    {
        var error = new KeystoneError(status, message, ReasonPhrases.GetReasonPhrase(status));
        return TypedResults.Json(new KeystoneErrorAnswer(error), KeystoneJson.Default.KeystoneErrorAnswer, statusCode: status);
    }

    private static JsonHttpResult<KeystoneErrorAnswer> Answer(LibraryException error, HttpContext context)
    {
        var status = StatusOf(error);
        if (status == StatusCodes.Status401Unauthorized)
        {
            var catalogue = context.RequestServices.GetRequiredService<ServiceCatalogue>();
            context.Response.Headers.WWWAuthenticate = catalogue.Challenge(context.Request);
        }

        return Answer(status, MessageOf(error));
    }

    // Clients and their users know these sentences.
    private static string MessageOf(LibraryException error) => error switch
    {
        ForbiddenException forbidden =>
            $"You are not authorized to perform the requested action: identity:{forbidden.Action.Replace(' ', '_')}.",
        IdentityNotFoundException missing => $"Could not find {missing.Kind.Phrase()}: {missing.Id}.",
        QuotaNotFoundException limit => $"Could not find limit: {limit.Id}.",
        QuotaExistsException => $"Conflict occurred attempting to store limit - {error.Message}",
        IdentityConflictException conflict => $"Conflict occurred attempting to store {conflict.Kind.Phrase()} - {conflict.Message}",
        _ => error.Message,
    };

    private static void AddHeaders(HttpResponse response)
    {
        response.Headers.Vary = KeystoneAuthentication.TokenHeader;
        if (!response.Headers.ContainsKey(RequestIdHeader))
            response.Headers[RequestIdHeader] = $"req-{Guid.NewGuid()}";
    }
}
