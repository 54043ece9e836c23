using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

internal static class UserEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/users", List);
        v3.MapPost("/users", Create);
        v3.MapRead("/users/{id}", Show);
        v3.MapPatch("/users/{id}", Update);
        v3.MapDelete("/users/{id}", Delete);
        v3.MapPost("/users/{id}/password", ChangePassword);
        v3.MapRead("/users/{id}/groups", Groups);
        v3.MapRead("/groups", Groups);
    }

    private static async Task<JsonHttpResult<UsersAnswer>> List(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var query = new IdentityQuery(context.Request.Asked("domain_id"), context.Request.Asked("name"));
        var found = await identity.ListUsersAsync(context.GetCaller(), query, cancellationToken);
        var root = context.RootUrl();
        var users = found.Where(u => context.Request.FitsEnabled(u.Enabled)).Select(u => KeystoneUser.From(u, root));
        return TypedResults.Json(new UsersAnswer([.. users], context.SelfLinks()), KeystoneJson.Default.UsersAnswer);
    }

    private static async Task<JsonHttpResult<UserAnswer>> Create(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "user", cancellationToken);
        var draft = new UserDraft(
            body.Text("name"), body.OptionalText("password"), body.OptionalText("domain_id"), body.OptionalText("description") ?? "",
            body.OptionalText("email"), DefaultProjectOf(body), body.OptionalFlag("enabled") ?? true);
        return Answer(await identity.CreateUserAsync(context.GetCaller(), draft, cancellationToken), context, StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<UserAnswer>> Show(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken) =>
        Answer(await identity.GetUserAsync(context.GetCaller(), new UserId(id), cancellationToken), context);

    private static async Task<JsonHttpResult<UserAnswer>> Update(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "user", cancellationToken);
        var update = new UserUpdate
        {
            Name = body.OptionalText("name"),
            Password = body.OptionalText("password"),
            Description = body.IsCleared("description") ? "" : body.OptionalText("description"),
            Email = body.IsCleared("email") ? "" : body.OptionalText("email"),
            DefaultProject = DefaultProjectOf(body),
            NoDefaultProject = body.IsCleared("default_project_id"),
            Enabled = body.OptionalFlag("enabled"),
        };
        return Answer(await identity.UpdateUserAsync(context.GetCaller(), new UserId(id), update, cancellationToken), context);
    }

    private static async Task<NoContent> ChangePassword(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "user", cancellationToken);
        await identity.ChangePasswordAsync(
            context.GetCaller(), new UserId(id), body.Text("original_password"), body.Text("password"), cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> Delete(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        await identity.DeleteUserAsync(context.GetCaller(), new UserId(id), cancellationToken);
        return TypedResults.NoContent();
    }

    // There are none, but "user list" and Horizon ask.
    private static JsonHttpResult<GroupsAnswer> Groups(HttpContext context) =>
        TypedResults.Json(new GroupsAnswer([], context.SelfLinks()), KeystoneJson.Default.GroupsAnswer);

    private static ProjectId? DefaultProjectOf(KeystoneObject body) =>
        body.OptionalText("default_project_id") is { } id ? new ProjectId(id) : null;

    private static JsonHttpResult<UserAnswer> Answer(User user, HttpContext context, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(new UserAnswer(KeystoneUser.From(user, context.RootUrl())), KeystoneJson.Default.UserAnswer, statusCode: status);
}
