using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

/// <summary>Logging in and out, and what a login is good for.</summary>
internal static class TokenEndpoints
{
    private const string SubjectHeader = "X-Subject-Token";

    public static void MapTokens(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/auth/tokens", Show);
        v3.MapDelete("/auth/tokens", Revoke);
        v3.MapRead("/auth/projects", Projects);
        v3.MapRead("/auth/domains", Domains);
        v3.MapRead("/auth/system", Systems);
        v3.MapRead("/auth/catalog", Catalogue);
    }

    /// <summary><c>POST /v3/auth/tokens</c>: the one call that needs no token.</summary>
    public static async Task<JsonHttpResult<TokenAnswer>> LogIn(
        HttpContext context, Logins logins, ServiceCatalogue services, CancellationToken cancellationToken)
    {
        var request = TokenRequest.From(await KeystoneBody.ReadAsync(context.Request, cancellationToken));
        var login = request switch
        {
            TokenRequest.ByPassword by => await logins.ByPasswordAsync(by.User, by.Password, by.Scope, cancellationToken),
            TokenRequest.ByToken by => await logins.ByTokenAsync(by.Token, by.Scope, cancellationToken),
            TokenRequest.ByCredential by => await logins.ByApplicationCredentialAsync(by.Credential, by.Secret, cancellationToken),
            _ => throw new UnauthenticatedException(),
        };
        return Answer(login, context, services, StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<TokenAnswer>> Show(
        HttpContext context, Logins logins, ServiceCatalogue services, CancellationToken cancellationToken)
    {
        var subject = await logins.InspectAsync(context.GetLogin(), SubjectOf(context.Request), cancellationToken);
        return Answer(subject, context, services, StatusCodes.Status200OK);
    }

    private static async Task<NoContent> Revoke(HttpContext context, Logins logins, CancellationToken cancellationToken)
    {
        var subject = await logins.InspectAsync(context.GetLogin(), SubjectOf(context.Request), cancellationToken);
        await logins.RevokeAsync(subject.Token, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<JsonHttpResult<ProjectsAnswer>> Projects(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var projects = await identity.ListProjectsOfAsync(caller, caller.User, cancellationToken);
        var root = context.RootUrl();
        return TypedResults.Json(
            new ProjectsAnswer([.. projects.Select(p => KeystoneProject.From(p, root))], context.SelfLinks()),
            KeystoneJson.Default.ProjectsAnswer);
    }

    private static async Task<JsonHttpResult<DomainsAnswer>> Domains(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var domains = await identity.ListDomainsOfAsync(caller, caller.User, cancellationToken);
        var root = context.RootUrl();
        return TypedResults.Json(
            new DomainsAnswer([.. domains.Select(d => KeystoneDomain.From(d, root))], context.SelfLinks()),
            KeystoneJson.Default.DomainsAnswer);
    }

    private static async Task<JsonHttpResult<SystemsAnswer>> Systems(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var query = new AssignmentQuery(caller.User, AssignmentTarget.System);
        var held = await identity.ListAssignmentsAsync(caller, query, effective: false, cancellationToken);
        return TypedResults.Json(
            new SystemsAnswer(held.Count == 0 ? [] : [new WholeSystem(All: true)], context.SelfLinks()), KeystoneJson.Default.SystemsAnswer);
    }

    private static JsonHttpResult<CatalogueAnswer> Catalogue(HttpContext context, ServiceCatalogue services) => TypedResults.Json(
        new CatalogueAnswer(services.Entries(context.Request), context.SelfLinks()), KeystoneJson.Default.CatalogueAnswer);

    private static JsonHttpResult<TokenAnswer> Answer(Login login, HttpContext context, ServiceCatalogue services, int status)
    {
        context.Response.Headers[SubjectHeader] = login.Token;
        var catalogue = context.Request.IsAsked("nocatalog") ? null : services.Entries(context.Request);
        return TypedResults.Json(new TokenAnswer(KeystoneToken.From(login, catalogue)), KeystoneJson.Default.TokenAnswer, statusCode: status);
    }

    private static string SubjectOf(HttpRequest request) => request.Headers[SubjectHeader] is [{ Length: > 0 } subject]
        ? subject
        : throw new InvalidFieldException(SubjectHeader, "is missing");
}
