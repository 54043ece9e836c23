namespace Vitrine.Access;

/// <summary>What may be done to users, projects, domains, roles and application credentials, and by whom.</summary>
/// <remarks>
/// Administrators write everything and read everything. Users read themselves, their projects and their assignments, change
/// their own password, and make application credentials for themselves. To everybody else things that exist and things that do
/// not are equally forbidden, so that nothing can be learnt by asking.
/// </remarks>
public sealed partial class IdentityAdministration(
    IIdentityCatalogue catalogue, IPasswordHasher hasher, Logins logins, TimeProvider time)
{
    private Task SaveAsync(IdentityChange change, CancellationToken cancellationToken) => catalogue.SaveAsync([change], cancellationToken);

    private async Task<IdentityDomain> GetDomainAsync(string id, CancellationToken cancellationToken) =>
        (IdentityIds.IsPlausible(id) ? await catalogue.FindDomainAsync(id, cancellationToken) : null)
        ?? throw new IdentityNotFoundException(IdentityKind.Domain, id);

    private async Task<Project> GetProjectAsync(ProjectId id, CancellationToken cancellationToken) =>
        (IdentityIds.IsPlausible(id.Value) ? await catalogue.FindProjectAsync(id, cancellationToken) : null)
        ?? throw new IdentityNotFoundException(IdentityKind.Project, id.Value);

    private async Task<User> GetUserAsync(UserId id, CancellationToken cancellationToken) =>
        (IdentityIds.IsPlausible(id.Value) ? await catalogue.FindUserAsync(id, cancellationToken) : null)
        ?? throw new IdentityNotFoundException(IdentityKind.User, id.Value);

    private async Task<Role> GetRoleAsync(RoleId id, CancellationToken cancellationToken) =>
        (IdentityIds.IsPlausible(id.Value) ? await catalogue.FindRoleAsync(id, cancellationToken) : null)
        ?? throw new IdentityNotFoundException(IdentityKind.Role, id.Value);

    private static void RequireSelfOrAdmin(Caller caller, UserId user, string action)
    {
        if (caller.User != user)
            caller.RequireAdmin(action);
    }
}
