namespace Vitrine.Access;

public sealed partial class IdentityAdministration
{
    /// <exception cref="IdentityConflictException">A project of the domain has the name.</exception>
    /// <exception cref="IdentityNotFoundException">There is no such domain.</exception>
    public async Task<Project> CreateProjectAsync(Caller caller, ProjectDraft draft, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("create project");
        var project = new Project
        {
            Id = ProjectId.New(),
            Name = IdentityRules.CheckName(draft.Name),
            Domain = (await GetDomainAsync(draft.Domain ?? caller.Domain, cancellationToken)).Id,
            Description = IdentityRules.CheckText("description", draft.Description),
            Enabled = draft.Enabled,
            CreatedAt = time.Now(),
        };
        await SaveAsync(new IdentityChange.SaveProject(project), cancellationToken);
        return project;
    }

    public Task<IReadOnlyList<Project>> ListProjectsAsync(Caller caller, IdentityQuery query, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("list projects");
        return catalogue.ListProjectsAsync(query, cancellationToken);
    }

    /// <summary>The enabled projects in which a user holds a role: those that it can log in to.</summary>
    public async Task<IReadOnlyList<Project>> ListProjectsOfAsync(Caller caller, UserId user, CancellationToken cancellationToken)
    {
        RequireSelfOrAdmin(caller, user, "list user projects");
        var targets = await TargetsOfAsync(user, AssignmentKind.Project, cancellationToken);
        var projects = new List<Project>();
        foreach (var id in targets)
        {
            if (await catalogue.FindProjectAsync(new ProjectId(id), cancellationToken) is { Enabled: true } project)
                projects.Add(project);
        }

        return [.. projects.OrderBy(p => p.Name, StringComparer.Ordinal)];
    }

    /// <summary>The enabled domains in which a user holds a role.</summary>
    public async Task<IReadOnlyList<IdentityDomain>> ListDomainsOfAsync(Caller caller, UserId user, CancellationToken cancellationToken)
    {
        RequireSelfOrAdmin(caller, user, "list user domains");
        var targets = await TargetsOfAsync(user, AssignmentKind.Domain, cancellationToken);
        var domains = await catalogue.ListDomainsAsync(name: null, cancellationToken);
        return [.. domains.Where(d => d.Enabled && targets.Contains(d.Id))];
    }

    /// <summary>Users may look at the projects in which they hold a role.</summary>
    public async Task<Project> GetProjectAsync(Caller caller, ProjectId id, CancellationToken cancellationToken)
    {
        if (!caller.IsAdmin && caller.Project != id)
        {
            var own = new AssignmentQuery(caller.User, AssignmentTarget.Project(id));
            if ((await catalogue.ListAssignmentsAsync(own, cancellationToken)).Count == 0)
                caller.RequireAdmin("get project");
        }

        return await GetProjectAsync(id, cancellationToken);
    }

    public async Task<Project> UpdateProjectAsync(Caller caller, ProjectId id, ProjectUpdate update, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("update project");
        var project = await GetProjectAsync(id, cancellationToken);
        var updated = project with
        {
            Name = update.Name is { } name ? IdentityRules.CheckName(name) : project.Name,
            Description = update.Description is { } text ? IdentityRules.CheckText("description", text) : project.Description,
            Enabled = update.Enabled ?? project.Enabled,
        };
        await SaveAsync(new IdentityChange.SaveProject(updated), cancellationToken);
        return updated;
    }

    /// <summary>What the project owns elsewhere, such as images, stays where it is.</summary>
    public async Task DeleteProjectAsync(Caller caller, ProjectId id, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("delete project");
        await GetProjectAsync(id, cancellationToken);
        await SaveAsync(new IdentityChange.DeleteProject(id), cancellationToken);
    }

    private async Task<HashSet<string>> TargetsOfAsync(UserId user, AssignmentKind kind, CancellationToken cancellationToken)
    {
        var assignments = await catalogue.ListAssignmentsAsync(new AssignmentQuery(user), cancellationToken);
        return [.. assignments.Where(a => a.Target.Kind == kind).Select(a => a.Target.Id)];
    }
}

/// <param name="Domain">The id of an identity domain; null is the caller's.</param>
public sealed record ProjectDraft(string Name, string? Domain = null, string Description = "", bool Enabled = true);

/// <summary>What to change; null leaves a value as it is.</summary>
public sealed record ProjectUpdate(string? Name = null, string? Description = null, bool? Enabled = null);
