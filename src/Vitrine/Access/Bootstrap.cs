using System.Buffers.Text;
using System.Security.Cryptography;

namespace Vitrine.Access;

/// <summary>Makes what an installation needs so that somebody can log in: at every start, and with effect at the first.</summary>
public sealed class Bootstrap(IIdentityCatalogue catalogue, IPasswordHasher hasher, TimeProvider time)
{
    /// <summary>The name of the first user and of the first project.</summary>
    public const string AdminName = "admin";

    // Each step can cross once with each of the nodes that start for the first time together.
    private const int MaxCrossings = 100;

    /// <summary>Makes the default domain, the built-in roles, the project and the user admin, as far as they are missing.</summary>
    /// <param name="adminPassword">For the user, if it is made now; null has one generated.</param>
    /// <exception cref="InvalidFieldException">The password is empty or too long.</exception>
    public async Task<BootstrapOutcome> RunAsync(string? adminPassword, CancellationToken cancellationToken)
    {
        for (var crossings = 0; ; crossings++)
        {
            try
            {
                return await MakeMissingAsync(adminPassword, cancellationToken);
            }
            catch (IdentityConflictException) when (crossings < MaxCrossings)
            {
                // Another node starts for the first time too and was faster with this step; what it made is there now.
            }
        }
    }

    private async Task<BootstrapOutcome> MakeMissingAsync(string? adminPassword, CancellationToken cancellationToken)
    {
        await MakeDomainAsync(cancellationToken);
        await MakeRolesAsync(cancellationToken);
        var project = await MakeProjectAsync(cancellationToken);

        var query = new IdentityQuery(IdentityIds.DefaultDomain, AdminName);
        if ((await catalogue.ListUsersAsync(query, cancellationToken)).SingleOrDefault() is { } existing)
            return new BootstrapOutcome(existing.Id, project.Id, GeneratedPassword: null);

        var generated = adminPassword is null ? Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(18)) : null;
        var user = await MakeAdminAsync(project, adminPassword ?? generated!, cancellationToken);
        return new BootstrapOutcome(user.Id, project.Id, generated);
    }

    private async Task MakeDomainAsync(CancellationToken cancellationToken)
    {
        if (await catalogue.FindDomainAsync(IdentityIds.DefaultDomain, cancellationToken) is not null)
            return;

        var domain = new IdentityDomain
        {
            Id = IdentityIds.DefaultDomain,
            Name = "Default",
            Description = "The default domain",
            CreatedAt = time.Now(),
        };
        await catalogue.SaveAsync([new IdentityChange.SaveDomain(domain)], cancellationToken);
    }

    private async Task MakeRolesAsync(CancellationToken cancellationToken)
    {
        var existing = await catalogue.ListRolesAsync(name: null, cancellationToken);
        var missing = IdentityRules.BuiltInRoles.Except(existing.Select(r => r.Name));
        await catalogue.SaveAsync(
            [.. missing.Select(name => new IdentityChange.SaveRole(new Role { Id = RoleId.New(), Name = name }))], cancellationToken);
    }

    private async Task<Project> MakeProjectAsync(CancellationToken cancellationToken)
    {
        var query = new IdentityQuery(IdentityIds.DefaultDomain, AdminName);
        if ((await catalogue.ListProjectsAsync(query, cancellationToken)).SingleOrDefault() is { } existing)
            return existing;

        var project = new Project
        {
            Id = ProjectId.New(),
            Name = AdminName,
            Domain = IdentityIds.DefaultDomain,
            Description = "The administrators' own project",
            CreatedAt = time.Now(),
        };
        await catalogue.SaveAsync([new IdentityChange.SaveProject(project)], cancellationToken);
        return project;
    }

    // In one transaction: a user admin that is not an administrator would never be made one by a later start.
    private async Task<User> MakeAdminAsync(Project project, string password, CancellationToken cancellationToken)
    {
        var role = (await catalogue.ListRolesAsync(RoleNames.Admin, cancellationToken)).Single();
        var user = new User
        {
            Id = UserId.New(),
            Name = AdminName,
            Domain = IdentityIds.DefaultDomain,
            PasswordHash = hasher.Hash(IdentityRules.CheckPassword("password", password)),
            CreatedAt = time.Now(),
        };
        await catalogue.SaveAsync(
            [
                new IdentityChange.SaveUser(user),
                new IdentityChange.Assign(new RoleAssignment(user.Id, AssignmentTarget.Project(project.Id), role.Id)),
                new IdentityChange.Assign(new RoleAssignment(user.Id, AssignmentTarget.System, role.Id)),
            ],
            cancellationToken);
        return user;
    }
}

/// <param name="GeneratedPassword">Told once, by the run that made the user without being given a password; else null.</param>
public sealed record BootstrapOutcome(UserId Admin, ProjectId AdminProject, string? GeneratedPassword)
{
    /// <summary>Never prints the password, as logs print records.</summary>
    public override string ToString() => $"user {Admin}, project {AdminProject}";
}
