using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

internal static class CredentialEndpoints
{
    public static void MapCredentials(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/users/{user}/application_credentials", List);
        v3.MapPost("/users/{user}/application_credentials", Create);
        v3.MapRead("/users/{user}/application_credentials/{id}", Show);
        v3.MapDelete("/users/{user}/application_credentials/{id}", Delete);
    }

    private static async Task<JsonHttpResult<CredentialsAnswer>> List(
        string user, HttpContext context, IdentityAdministration identity, IIdentityCatalogue catalogue, CancellationToken cancellationToken)
    {
        var found = await identity.ListCredentialsAsync(
            context.GetLogin(), new UserId(user), context.Request.Asked("name"), cancellationToken);
        var (roles, root) = (await catalogue.ListRolesAsync(name: null, cancellationToken), context.RootUrl());
        return TypedResults.Json(
            new CredentialsAnswer([.. found.Select(c => KeystoneCredential.From(c, roles, root))], context.SelfLinks()),
            KeystoneJson.Default.CredentialsAnswer);
    }

    private static async Task<JsonHttpResult<CredentialAnswer>> Create(
        string user, HttpContext context, IdentityAdministration identity, IIdentityCatalogue catalogue, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "application_credential", cancellationToken);
        var draft = new CredentialDraft(
            body.Text("name"), body.OptionalText("secret"), body.OptionalText("description") ?? "",
            [.. body.Objects("roles").Select(r => new RoleReference(r.OptionalText("id"), r.OptionalText("name")))],
            body.OptionalFlag("unrestricted") ?? false, ExpiryOf(body));
        var created = await identity.CreateCredentialAsync(context.GetLogin(), new UserId(user), draft, cancellationToken);

        var roles = await catalogue.ListRolesAsync(name: null, cancellationToken);
        return TypedResults.Json(
            new CredentialAnswer(KeystoneCredential.From(created.Credential, roles, context.RootUrl(), created.Secret)),
            KeystoneJson.Default.CredentialAnswer, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<CredentialAnswer>> Show(
        string user, string id, HttpContext context, IdentityAdministration identity, IIdentityCatalogue catalogue,
        CancellationToken cancellationToken)
    {
        var found = await identity.GetCredentialAsync(
            context.GetLogin(), new UserId(user), new ApplicationCredentialId(id), cancellationToken);
        var roles = await catalogue.ListRolesAsync(name: null, cancellationToken);
        return TypedResults.Json(
            new CredentialAnswer(KeystoneCredential.From(found, roles, context.RootUrl())), KeystoneJson.Default.CredentialAnswer);
    }

    private static async Task<NoContent> Delete(
        string user, string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        await identity.DeleteCredentialAsync(context.GetLogin(), new UserId(user), new ApplicationCredentialId(id), cancellationToken);
        return TypedResults.NoContent();
    }

    // Clients leave the zone out and mean UTC.
    private static DateTimeOffset? ExpiryOf(KeystoneObject body)
    {
        if (body.OptionalText("expires_at") is not { } text)
            return null;

        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Utc, out var time)
            ? time
            : throw new InvalidFieldException("application_credential.expires_at", "must be a time in ISO 8601");
    }
}
