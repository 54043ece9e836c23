using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.OpenStack.Identity;

namespace Vitrine.Server.Rest;

/// <summary>Logging in and out.</summary>
internal static class TokenEndpoints
{
    /// <param name="open">The part of the face that strangers may use.</param>
    /// <param name="api">The part that needs a login.</param>
    public static void MapTokens(IEndpointRouteBuilder open, IEndpointRouteBuilder api)
    {
        open.MapPost("/tokens", LogIn).WithTags("Logins").WithName("LogIn").WithSummary("Logs in, by a password or by an application credential.")
            .Accepts<TokenRequest>("application/json").Produces<TokenRecord>(StatusCodes.Status201Created);
        api.MapDelete("/tokens", LogOut).WithTags("Logins").WithName("LogOut")
            .WithSummary("Logs out: the token, and every token made from it, holds no more.").Produces(StatusCodes.Status204NoContent);
        api.MapGet("/me", ShowMe).WithTags("Logins").WithName("ShowMe").WithSummary("Says who the caller is.").Produces<MeRecord>();
    }

    private static async Task<JsonHttpResult<TokenRecord>> LogIn(
        HttpContext context, ILogins logins, ServiceCatalogue services, CancellationToken cancellationToken)
    {
        var said = await context.Request.ReadAsync(LibraryJson.Default.TokenRequest, cancellationToken);
        var login = said.ApplicationCredential is { } credential
            ? await ByCredentialAsync(said, credential, logins, cancellationToken)
            : await ByWordsAsync(said, logins, cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(WireRecords.TokenOf(login, services.IdentityUrl(context.Request), services.Region), LibraryJson.Default.TokenRecord, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<NoContent> LogOut(HttpContext context, ILogins logins, CancellationToken cancellationToken)
    {
        await logins.RevokeAsync(context.GetLogin().Token, cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<MeRecord> ShowMe(HttpContext context) =>
        TypedResults.Json(WireRecords.MeOf(context.GetLogin()), LibraryJson.Default.MeRecord);

    private static Task<Login> ByCredentialAsync(
        TokenRequest said, ApplicationCredentialRequest credential, ILogins logins, CancellationToken cancellationToken)
    {
        if (said is not { User: null, Password: null, Project: null, Domain: null })
            throw new InvalidFieldException("applicationCredential", "says all there is to say; leave user, password, domain and project out");

        return logins.ByApplicationCredentialAsync(
            new CredentialReference(Required(credential.Id, "id"), Name: null, User: null), Required(credential.Secret, "secret"), cancellationToken);
    }

    private static Task<Login> ByWordsAsync(TokenRequest said, ILogins logins, CancellationToken cancellationToken) => logins.ByWordsAsync(
        new LoginWords(Required(said.User, "user"), Required(said.Password, "password"), said.Domain, said.Project), cancellationToken);

    private static string Required(string? text, string field) =>
        string.IsNullOrEmpty(text) ? throw new InvalidFieldException(field, "is needed to log in") : text;
}
