using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;

namespace Vitrine.ApiTests;

/// <summary>A project with a token for each role that there always is.</summary>
public sealed record TestProject(ProjectId Id, string Admin, string Member, string Reader);

/// <summary>One user for each role, who log in by password once and then go from project to project by token, which is quick.</summary>
internal sealed class TestUsers
{
    private const string Password = "a password for tests";

    private readonly Func<IServiceProvider> _services;
    private readonly Dictionary<string, (UserId User, RoleId Role, string Token)> _users = [];

    private TestUsers(Func<IServiceProvider> services) => _services = services;

    private IIdentityCatalogue Catalogue => _services().GetRequiredService<IIdentityCatalogue>();

    private Logins Logins => _services().GetRequiredService<Logins>();

    private DateTimeOffset Now => _services().GetRequiredService<TimeProvider>().Now();

    /// <param name="services">Of the library as it runs now; a restart makes others.</param>
    public static async Task<TestUsers> MakeAsync(Func<IServiceProvider> services, CancellationToken cancellationToken)
    {
        var users = new TestUsers(services);
        var hash = services().GetRequiredService<IPasswordHasher>().Hash(Password);
        foreach (var role in (string[])[RoleNames.Admin, RoleNames.Member, RoleNames.Reader])
            await users.AddAsync(role, hash, cancellationToken);
        return users;
    }

    public async Task<TestProject> NewProjectAsync(string domain, CancellationToken cancellationToken)
    {
        if (await Catalogue.FindDomainAsync(domain, cancellationToken) is null)
            await Catalogue.SaveAsync(
                [new IdentityChange.SaveDomain(new IdentityDomain { Id = domain, Name = $"domain {domain}", CreatedAt = Now })], cancellationToken);

        var id = ProjectId.New();
        await Catalogue.SaveAsync(
            [new IdentityChange.SaveProject(new Project { Id = id, Name = $"project {id}", Domain = domain, CreatedAt = Now })], cancellationToken);
        await Catalogue.SaveAsync(
            [.. _users.Values.Select(u => new IdentityChange.Assign(new RoleAssignment(u.User, AssignmentTarget.Project(id), u.Role)))],
            cancellationToken);
        return new TestProject(
            id,
            await LogInAsync(RoleNames.Admin, id, cancellationToken),
            await LogInAsync(RoleNames.Member, id, cancellationToken),
            await LogInAsync(RoleNames.Reader, id, cancellationToken));
    }

    private async Task AddAsync(string roleName, string passwordHash, CancellationToken cancellationToken)
    {
        var role = (await Catalogue.ListRolesAsync(roleName, cancellationToken)).Single();
        var user = new User
        {
            Id = UserId.New(),
            Name = $"tester as {roleName}",
            Domain = IdentityIds.DefaultDomain,
            PasswordHash = passwordHash,
            CreatedAt = Now,
        };
        await Catalogue.SaveAsync([new IdentityChange.SaveUser(user)], cancellationToken);
        var login = await Logins.ByPasswordAsync(
            UserReference.ById(user.Id), Password, new ScopeRequest.Unscoped(), cancellationToken);
        _users[roleName] = (user.Id, role.Id, login.Token);
    }

    private async Task<string> LogInAsync(string role, ProjectId project, CancellationToken cancellationToken)
    {
        var scope = new ScopeRequest.ToProject(new ProjectReference(project.Value, Name: null, Domain: null));
        return (await Logins.ByTokenAsync(_users[role].Token, scope, cancellationToken)).Token;
    }
}
