namespace Vitrine.Access;

public sealed partial class IdentityAdministration
{
    /// <exception cref="IdentityConflictException">A role has the name.</exception>
    public async Task<Role> CreateRoleAsync(Caller caller, RoleDraft draft, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("create role");
        var role = new Role
        {
            Id = RoleId.New(),
            Name = IdentityRules.CheckName(draft.Name),
            Description = IdentityRules.CheckText("description", draft.Description),
        };
        await SaveAsync(new IdentityChange.SaveRole(role), cancellationToken);
        return role;
    }

    public Task<IReadOnlyList<Role>> ListRolesAsync(Caller caller, string? name, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("list roles");
        return catalogue.ListRolesAsync(name, cancellationToken);
    }

    public Task<Role> GetRoleAsync(Caller caller, RoleId id, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("get role");
        return GetRoleAsync(id, cancellationToken);
    }

    /// <exception cref="BuiltInIdentityException">The role would get another name, and mean nothing from then on.</exception>
    public async Task<Role> UpdateRoleAsync(Caller caller, RoleId id, RoleUpdate update, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("update role");
        var role = await GetRoleAsync(id, cancellationToken);
        if (update.Name is not null && update.Name != role.Name)
            RequireNotBuiltIn(role);

        var updated = role with
        {
            Name = update.Name is { } name ? IdentityRules.CheckName(name) : role.Name,
            Description = update.Description is { } text ? IdentityRules.CheckText("description", text) : role.Description,
        };
        await SaveAsync(new IdentityChange.SaveRole(updated), cancellationToken);
        return updated;
    }

    /// <exception cref="BuiltInIdentityException">The role is one that the product itself asks for.</exception>
    public async Task DeleteRoleAsync(Caller caller, RoleId id, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("delete role");
        RequireNotBuiltIn(await GetRoleAsync(id, cancellationToken));
        await SaveAsync(new IdentityChange.DeleteRole(id), cancellationToken);
    }

    /// <summary>Assigning what is assigned already succeeds.</summary>
    /// <exception cref="IdentityNotFoundException">There is no such user, role, project or domain.</exception>
    public Task AssignAsync(Caller caller, RoleAssignment assignment, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("create grant");
        RequirePlausible(assignment);
        return SaveAsync(new IdentityChange.Assign(assignment), cancellationToken);
    }

    /// <exception cref="IdentityNotFoundException">The role is not assigned.</exception>
    public async Task UnassignAsync(Caller caller, RoleAssignment assignment, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("revoke grant");
        await RequireAssignedAsync(assignment, cancellationToken);
        await SaveAsync(new IdentityChange.Unassign(assignment), cancellationToken);
    }

    /// <exception cref="IdentityNotFoundException">The role is not assigned.</exception>
    public Task CheckAssignedAsync(Caller caller, RoleAssignment assignment, CancellationToken cancellationToken)
    {
        RequireSelfOrAdmin(caller, assignment.User, "check grant");
        return RequireAssignedAsync(assignment, cancellationToken);
    }

    /// <summary>Users may list their own assignments.</summary>
    /// <param name="effective">Adds the roles that those assigned imply.</param>
    public async Task<IReadOnlyList<NamedAssignment>> ListAssignmentsAsync(
        Caller caller, AssignmentQuery query, bool effective, CancellationToken cancellationToken)
    {
        if (query.User != caller.User)
            caller.RequireAdmin("list role assignments");

        // An implied role is found by the one that implies it, so the role restricts what is found only afterwards.
        var assignments = await catalogue.ListAssignmentsAsync(effective ? query with { Role = null } : query, cancellationToken);
        if (effective)
            assignments = await WithImpliedAsync(assignments, cancellationToken);
        return await NameAsync([.. assignments.Where(a => query.Role is null || a.Role == query.Role)], cancellationToken);
    }

    private async Task<IReadOnlyList<RoleAssignment>> WithImpliedAsync(
        IReadOnlyList<RoleAssignment> assignments, CancellationToken cancellationToken)
    {
        var all = await catalogue.ListRolesAsync(name: null, cancellationToken);
        return
        [
            .. from held in assignments.GroupBy(a => (a.User, a.Target))
               from role in IdentityRules.WithImplied(held.Select(a => a.Role).ToHashSet(), all)
               select new RoleAssignment(held.Key.User, held.Key.Target, role.Id),
        ];
    }

    /// <summary>Adds to assignments the records that they refer to; one whose record is gone meanwhile is left out.</summary>
    private async Task<IReadOnlyList<NamedAssignment>> NameAsync(
        IReadOnlyList<RoleAssignment> assignments, CancellationToken cancellationToken)
    {
        if (assignments.Count == 0)
            return [];

        var domains = (await catalogue.ListDomainsAsync(name: null, cancellationToken)).ToDictionary(d => d.Id);
        var roles = (await catalogue.ListRolesAsync(name: null, cancellationToken)).ToDictionary(r => r.Id);
        var users = (await catalogue.ListUsersAsync(new IdentityQuery(), cancellationToken)).ToDictionary(u => u.Id);
        var projects = (await catalogue.ListProjectsAsync(new IdentityQuery(), cancellationToken)).ToDictionary(p => p.Id);

        var named =
            from assignment in assignments
            let user = users.GetValueOrDefault(assignment.User)
            let role = roles.GetValueOrDefault(assignment.Role)
            let scope = ScopeOf(assignment.Target, projects, domains)
            where user is not null && role is not null && scope is not null && domains.ContainsKey(user.Domain)
            select new NamedAssignment(user, domains[user.Domain], scope, role);
        return [.. named];
    }

    private static LoginScope? ScopeOf(
        AssignmentTarget target, Dictionary<ProjectId, Project> projects, Dictionary<string, IdentityDomain> domains)
    {
        if (target.Kind is AssignmentKind.System)
            return new LoginScope.InSystem();

        var project = target.Kind is AssignmentKind.Project ? projects.GetValueOrDefault(new ProjectId(target.Id)) : null;
        return domains.GetValueOrDefault(project?.Domain ?? target.Id) switch
        {
            null => null,
            var domain when project is not null => new LoginScope.InProject(project, domain),
            var domain => new LoginScope.InDomain(domain),
        };
    }

    private async Task RequireAssignedAsync(RoleAssignment assignment, CancellationToken cancellationToken)
    {
        RequirePlausible(assignment);
        var query = new AssignmentQuery(assignment.User, assignment.Target, assignment.Role);
        if ((await catalogue.ListAssignmentsAsync(query, cancellationToken)).Count == 0)
            throw new IdentityNotFoundException(IdentityKind.RoleAssignment, assignment.Role.Value);
    }

    private static void RequirePlausible(RoleAssignment assignment)
    {
        if (!IdentityIds.IsPlausible(assignment.User.Value))
            throw new IdentityNotFoundException(IdentityKind.User, assignment.User.Value);
        if (!IdentityIds.IsPlausible(assignment.Role.Value))
            throw new IdentityNotFoundException(IdentityKind.Role, assignment.Role.Value);
    }

    private static void RequireNotBuiltIn(Role role)
    {
        if (IdentityRules.BuiltInRoles.Contains(role.Name))
            throw new BuiltInIdentityException(IdentityKind.Role, role.Name);
    }
}

public sealed record RoleDraft(string Name, string Description = "");

/// <summary>What to change; null leaves a value as it is.</summary>
public sealed record RoleUpdate(string? Name = null, string? Description = null);

/// <summary>An assignment with all that it refers to.</summary>
/// <param name="Scope">Never <see cref="LoginScope.None"/>.</param>
public sealed record NamedAssignment(User User, IdentityDomain UserDomain, LoginScope Scope, Role Role);
