using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

internal static class DomainEndpoints
{
    public static void MapDomains(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/domains", List);
        v3.MapPost("/domains", Create);
        v3.MapRead("/domains/{id}", Show);
        v3.MapPatch("/domains/{id}", Update);
        v3.MapDelete("/domains/{id}", Delete);
    }

    private static async Task<JsonHttpResult<DomainsAnswer>> List(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var found = await identity.ListDomainsAsync(context.GetCaller(), context.Request.Asked("name"), cancellationToken);
        var root = context.RootUrl();
        var domains = found.Where(d => context.Request.FitsEnabled(d.Enabled)).Select(d => KeystoneDomain.From(d, root));
        return TypedResults.Json(new DomainsAnswer([.. domains], context.SelfLinks()), KeystoneJson.Default.DomainsAnswer);
    }

    private static async Task<JsonHttpResult<DomainAnswer>> Create(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "domain", cancellationToken);
        var draft = new DomainDraft(body.Text("name"), body.OptionalText("description") ?? "", body.OptionalFlag("enabled") ?? true);
        return Answer(await identity.CreateDomainAsync(context.GetCaller(), draft, cancellationToken), context, StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<DomainAnswer>> Show(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken) =>
        Answer(await identity.GetDomainAsync(context.GetCaller(), id, cancellationToken), context);

    private static async Task<JsonHttpResult<DomainAnswer>> Update(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "domain", cancellationToken);
        var update = new DomainUpdate(
            body.OptionalText("name"), body.IsCleared("description") ? "" : body.OptionalText("description"), body.OptionalFlag("enabled"));
        return Answer(await identity.UpdateDomainAsync(context.GetCaller(), id, update, cancellationToken), context);
    }

    private static async Task<NoContent> Delete(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        await identity.DeleteDomainAsync(context.GetCaller(), id, cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<DomainAnswer> Answer(IdentityDomain domain, HttpContext context, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(
            new DomainAnswer(KeystoneDomain.From(domain, context.RootUrl())), KeystoneJson.Default.DomainAnswer, statusCode: status);
}
