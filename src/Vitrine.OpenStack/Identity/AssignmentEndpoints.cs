using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

/// <summary>Who holds which role where. Keystone has one set of paths for each kind of target; they differ in nothing else.</summary>
internal static class AssignmentEndpoints
{
    private const string InheritedTo = "scope.OS-INHERIT:inherited_to";

    public static void MapAssignments(this IEndpointRouteBuilder v3)
    {
        MapTarget(v3.MapGroup("/projects/{target}"), id => AssignmentTarget.Project(new ProjectId(id)));
        MapTarget(v3.MapGroup("/domains/{target}"), AssignmentTarget.Domain);
        MapTarget(v3.MapGroup("/system"), _ => AssignmentTarget.System);
        v3.MapRead("/role_assignments", List);
    }

    private static void MapTarget(RouteGroupBuilder target, Func<string, AssignmentTarget> targetOf)
    {
        var grants = new Grants(targetOf);
        target.MapRead("/users/{user}/roles", grants.List);
        target.MapRead("/users/{user}/roles/{role}", grants.Check);
        target.MapPut("/users/{user}/roles/{role}", grants.Assign);
        target.MapDelete("/users/{user}/roles/{role}", grants.Unassign);
    }

    private static async Task<JsonHttpResult<AssignmentsAnswer>> List(
        HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
    {
        var request = context.Request;
        var query = new AssignmentQuery(
            request.Asked("user.id") is { } user ? new UserId(user) : null,
            TargetAsked(request),
            request.Asked("role.id") is { } role ? new RoleId(role) : null);
        var found = await identity.ListAssignmentsAsync(context.GetCaller(), query, request.IsAsked("effective"), cancellationToken);

        // There are no groups, and nothing is inherited.
        var none = request.Asked("group.id") is not null || request.Asked(InheritedTo) is not null;
        var (names, root) = (request.IsAsked("include_names"), context.RootUrl());
        var assignments = none ? [] : found.Select(a => KeystoneAssignment.From(a, names, root));
        return TypedResults.Json(new AssignmentsAnswer([.. assignments], context.SelfLinks()), KeystoneJson.Default.AssignmentsAnswer);
    }

    private static AssignmentTarget? TargetAsked(HttpRequest request)
    {
        if (request.Asked("scope.project.id") is { } project)
            return AssignmentTarget.Project(new ProjectId(project));
        if (request.Asked("scope.domain.id") is { } domain)
            return AssignmentTarget.Domain(domain);

        return request.Asked("scope.system") is not null ? AssignmentTarget.System : null;
    }

    /// <summary>The calls on one kind of target, which the path names by its id or not at all.</summary>
    private sealed class Grants(Func<string, AssignmentTarget> targetOf)
    {
        public async Task<JsonHttpResult<RolesAnswer>> List(
            HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
        {
            var query = new AssignmentQuery(new UserId(Route(context, "user")), TargetIn(context));
            var held = await identity.ListAssignmentsAsync(context.GetCaller(), query, effective: false, cancellationToken);
            var root = context.RootUrl();
            return TypedResults.Json(
                new RolesAnswer([.. held.Select(a => KeystoneRole.From(a.Role, root))], context.SelfLinks()),
                KeystoneJson.Default.RolesAnswer);
        }

        public async Task<NoContent> Check(HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
        {
            await identity.CheckAssignedAsync(context.GetCaller(), AssignmentIn(context), cancellationToken);
            return TypedResults.NoContent();
        }

        public async Task<NoContent> Assign(HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
        {
            await identity.AssignAsync(context.GetCaller(), AssignmentIn(context), cancellationToken);
            return TypedResults.NoContent();
        }

        public async Task<NoContent> Unassign(HttpContext context, IdentityAdministration identity, CancellationToken cancellationToken)
        {
            await identity.UnassignAsync(context.GetCaller(), AssignmentIn(context), cancellationToken);
            return TypedResults.NoContent();
        }

        private RoleAssignment AssignmentIn(HttpContext context) =>
            new(new UserId(Route(context, "user")), TargetIn(context), new RoleId(Route(context, "role")));

        private AssignmentTarget TargetIn(HttpContext context) => targetOf(Route(context, "target"));

        private static string Route(HttpContext context, string name) => context.GetRouteValue(name) as string ?? "";
    }
}
