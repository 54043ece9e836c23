using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

internal static class ProjectEndpoints
{
    public static void MapProjects(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/projects", List);
        v3.MapPost("/projects", Create);
        v3.MapRead("/projects/{id}", Show);
        v3.MapPatch("/projects/{id}", Update);
        v3.MapDelete("/projects/{id}", Delete);
        v3.MapRead("/users/{id}/projects", ListOfUser);
    }

    private static async Task<JsonHttpResult<ProjectsAnswer>> List(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var request = context.Request;
        var query = new IdentityQuery(request.Asked("domain_id"), request.Asked("name"));
        var found = await identity.ListProjectsAsync(context.GetCaller(), query, cancellationToken);

        // A project's parent is its domain, and no project is a domain itself.
        var parent = request.Asked("parent_id");
        return Answer(context, found.Where(p => (parent is null || p.Domain == parent) && !request.IsAsked("is_domain")));
    }

    private static async Task<JsonHttpResult<ProjectsAnswer>> ListOfUser(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken) =>
        Answer(context, await identity.ListProjectsOfAsync(context.GetCaller(), new UserId(id), cancellationToken));

    private static async Task<JsonHttpResult<ProjectAnswer>> Create(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "project", cancellationToken);
        var parent = body.OptionalText("parent_id");
        var domain = body.OptionalText("domain_id") ?? parent;
        if (body.OptionalFlag("is_domain") == true || (parent is not null && parent != domain))
            throw new InvalidFieldException("project.parent_id", "must be the domain: projects within projects are not supported");

        var draft = new ProjectDraft(
            body.Text("name"), domain, body.OptionalText("description") ?? "", body.OptionalFlag("enabled") ?? true);
        return Answer(await identity.CreateProjectAsync(context.GetCaller(), draft, cancellationToken), context, StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<ProjectAnswer>> Show(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken) =>
        Answer(await identity.GetProjectAsync(context.GetCaller(), new ProjectId(id), cancellationToken), context);

    private static async Task<JsonHttpResult<ProjectAnswer>> Update(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "project", cancellationToken);
        var update = new ProjectUpdate(
            body.OptionalText("name"), body.IsCleared("description") ? "" : body.OptionalText("description"), body.OptionalFlag("enabled"));
        return Answer(await identity.UpdateProjectAsync(context.GetCaller(), new ProjectId(id), update, cancellationToken), context);
    }

    private static async Task<NoContent> Delete(
        string id, HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        await identity.DeleteProjectAsync(context.GetCaller(), new ProjectId(id), cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<ProjectsAnswer> Answer(HttpContext context, IEnumerable<Project> projects)
    {
        var root = context.RootUrl();
        var fitting = projects.Where(p => context.Request.FitsEnabled(p.Enabled)).Select(p => KeystoneProject.From(p, root));
        return TypedResults.Json(new ProjectsAnswer([.. fitting], context.SelfLinks()), KeystoneJson.Default.ProjectsAnswer);
    }

    private static JsonHttpResult<ProjectAnswer> Answer(Project project, HttpContext context, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(
            new ProjectAnswer(KeystoneProject.From(project, context.RootUrl())), KeystoneJson.Default.ProjectAnswer, statusCode: status);
}
