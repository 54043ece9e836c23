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
        HttpContext context, Logins logins, IIdentityCatalogue identities, CancellationToken cancellationToken)
    {
        var said = await context.Request.ReadAsync(LibraryJson.Default.TokenRequest, cancellationToken);
        var login = said.ApplicationCredential is { } credential
            ? await ByCredentialAsync(said, credential, logins, cancellationToken)
            : await ByPasswordAsync(said, logins, identities, cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(WireRecords.TokenOf(login), LibraryJson.Default.TokenRecord, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<NoContent> LogOut(HttpContext context, Logins logins, CancellationToken cancellationToken)
    {
        await logins.RevokeAsync(context.GetLogin().Token, cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<MeRecord> ShowMe(HttpContext context) =>
        TypedResults.Json(WireRecords.MeOf(context.GetLogin()), LibraryJson.Default.MeRecord);

    private static Task<Login> ByCredentialAsync(
        TokenRequest said, ApplicationCredentialRequest credential, Logins logins, CancellationToken cancellationToken)
    {
        if (said is not { User: null, Password: null, Project: null, Domain: null })
            throw new InvalidFieldException("applicationCredential", "says all there is to say; leave user, password, domain and project out");

        return logins.ByApplicationCredentialAsync(
            new CredentialReference(Required(credential.Id, "id"), Name: null, User: null), Required(credential.Secret, "secret"), cancellationToken);
    }

    private static async Task<Login> ByPasswordAsync(
        TokenRequest said, Logins logins, IIdentityCatalogue identities, CancellationToken cancellationToken)
    {
        var (user, password) = (Required(said.User, "user"), Required(said.Password, "password"));
        var domain = await DomainAsync(said.Domain, identities, cancellationToken);
        var reference = new UserReference(Id: null, user, domain);
        if (said.Project is { } project)
            return await logins.ByPasswordAsync(reference, password, await ScopeAsync(project, domain, identities, cancellationToken), cancellationToken);

        var login = await logins.ByPasswordAsync(reference, password, new ScopeRequest.Default(), cancellationToken);
        return login.Scope is LoginScope.None && await FindOnlyProjectAsync(login, identities, cancellationToken) is { } only
            ? await logins.ByTokenAsync(login.Token, new ScopeRequest.ToProject(new ProjectReference(only, Name: null, Domain: null)), cancellationToken)
            : login;
    }

    /// <summary>People say a name or an id and do not tell which.</summary>
    private static async Task<DomainReference> DomainAsync(string? domain, IIdentityCatalogue identities, CancellationToken cancellationToken)
    {
        if (domain is null)
            return new DomainReference(IdentityIds.DefaultDomain, Name: null);

        return IdentityIds.IsPlausible(domain) && await identities.FindDomainAsync(domain, cancellationToken) is not null
            ? new DomainReference(domain, Name: null)
            : new DomainReference(Id: null, domain);
    }

    private static async Task<ScopeRequest> ScopeAsync(
        string project, DomainReference domain, IIdentityCatalogue identities, CancellationToken cancellationToken)
    {
        var isId = IdentityIds.IsPlausible(project) && await identities.FindProjectAsync(new ProjectId(project), cancellationToken) is not null;
        return new ScopeRequest.ToProject(isId ? new ProjectReference(project, Name: null, Domain: null) : new ProjectReference(Id: null, project, domain));
    }

    /// <summary>Who has a role in one project only means that one.</summary>
    private static async Task<string?> FindOnlyProjectAsync(Login login, IIdentityCatalogue identities, CancellationToken cancellationToken)
    {
        var assignments = await identities.ListAssignmentsAsync(new AssignmentQuery(User: login.User.Id), cancellationToken);
        var projects = assignments.Where(a => a.Target.Kind is AssignmentKind.Project).Select(a => a.Target.Id).Distinct().ToList();
        return projects is [var only] ? only : null;
    }

    private static string Required(string? text, string field) =>
        string.IsNullOrEmpty(text) ? throw new InvalidFieldException(field, "is needed to log in") : text;
}
