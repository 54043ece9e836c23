using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;

namespace Vitrine.ApiTests;

/// <summary>A project with the tokens of three users, one for each role that there always is.</summary>
public sealed record TestProject(ProjectId Id, string Admin, string Member, string Reader)
{
    private const string Password = "a password for tests";

    internal static async Task<TestProject> MakeAsync(IServiceProvider services, string domain, CancellationToken cancellationToken)
    {
        var catalogue = services.GetRequiredService<IIdentityCatalogue>();
        var now = services.GetRequiredService<TimeProvider>().Now();
        var id = ProjectId.New();
        await EnsureDomainAsync(catalogue, domain, now, cancellationToken);
        await catalogue.SaveAsync(
            [new IdentityChange.SaveProject(new Project { Id = id, Name = $"project {id}", Domain = domain, CreatedAt = now })], cancellationToken);
        return new TestProject(
            id,
            await LogInAsync(services, id, domain, RoleNames.Admin, cancellationToken),
            await LogInAsync(services, id, domain, RoleNames.Member, cancellationToken),
            await LogInAsync(services, id, domain, RoleNames.Reader, cancellationToken));
    }

    private static async Task EnsureDomainAsync(
        IIdentityCatalogue catalogue, string domain, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await catalogue.FindDomainAsync(domain, cancellationToken) is null)
            await catalogue.SaveAsync(
                [new IdentityChange.SaveDomain(new IdentityDomain { Id = domain, Name = $"domain {domain}", CreatedAt = now })], cancellationToken);
    }

    private static async Task<string> LogInAsync(
        IServiceProvider services, ProjectId project, string domain, string roleName, CancellationToken cancellationToken)
    {
        var catalogue = services.GetRequiredService<IIdentityCatalogue>();
        var role = (await catalogue.ListRolesAsync(roleName, cancellationToken)).Single();
        var user = new User
        {
            Id = UserId.New(),
            Name = $"{roleName} of {project}",
            Domain = domain,
            PasswordHash = services.GetRequiredService<IPasswordHasher>().Hash(Password),
            CreatedAt = services.GetRequiredService<TimeProvider>().Now(),
        };
        await catalogue.SaveAsync(
            [
                new IdentityChange.SaveUser(user),
                new IdentityChange.Assign(new RoleAssignment(user.Id, AssignmentTarget.Project(project), role.Id)),
            ],
            cancellationToken);

        var scope = new ScopeRequest.ToProject(new ProjectReference(project.Value, Name: null, Domain: null));
        return (await services.GetRequiredService<Logins>().ByPasswordAsync(UserReference.ById(user.Id), Password, scope, cancellationToken)).Token;
    }
}
