using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

internal static class RoleEndpoints
{
    public static void MapRoles(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/roles", List);
        v3.MapPost("/roles", Create);
        v3.MapRead("/roles/{id}", Show);
        v3.MapPatch("/roles/{id}", Update);
        v3.MapDelete("/roles/{id}", Delete);
    }

    private static async Task<JsonHttpResult<RolesAnswer>> List(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var found = await identity.ListRolesAsync(context.GetCaller(), context.Request.Asked("name"), cancellationToken);
        var root = context.RootUrl();

        // No role belongs to a domain.
        var roles = found.Where(_ => context.Request.Asked("domain_id") is null).Select(r => KeystoneRole.From(r, root));
        return TypedResults.Json(new RolesAnswer([.. roles], context.SelfLinks()), KeystoneJson.Default.RolesAnswer);
    }

    private static async Task<JsonHttpResult<RoleAnswer>> Create(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "role", cancellationToken);
        if (body.OptionalText("domain_id") is not null)
            throw new InvalidFieldException("role.domain_id", "must be left out: roles of one domain are not supported");

        var draft = new RoleDraft(body.Text("name"), body.OptionalText("description") ?? "");
        return Answer(await identity.CreateRoleAsync(context.GetCaller(), draft, cancellationToken), context, StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<RoleAnswer>> Show(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken) =>
        Answer(await identity.GetRoleAsync(context.GetCaller(), new RoleId(id), cancellationToken), context);

    private static async Task<JsonHttpResult<RoleAnswer>> Update(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "role", cancellationToken);
        var update = new RoleUpdate(body.OptionalText("name"), body.IsCleared("description") ? "" : body.OptionalText("description"));
        return Answer(await identity.UpdateRoleAsync(context.GetCaller(), new RoleId(id), update, cancellationToken), context);
    }

    private static async Task<NoContent> Delete(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        await identity.DeleteRoleAsync(context.GetCaller(), new RoleId(id), cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<RoleAnswer> Answer(Role role, HttpContext context, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(new RoleAnswer(KeystoneRole.From(role, context.RootUrl())), KeystoneJson.Default.RoleAnswer, statusCode: status);
}
