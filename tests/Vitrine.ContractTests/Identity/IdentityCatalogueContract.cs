using System.Collections.Immutable;
using Vitrine.Access;
using Vitrine.Catalogue;
using Vitrine.ContractTests.Catalogue;

namespace Vitrine.ContractTests.Identity;

/// <summary>What every catalogue of identity promises.</summary>
public abstract class IdentityCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly IdentityCatalogue _catalogue = new(fixture.Database);

    [Fact]
    public async Task Every_field_of_a_domain_is_read_back_as_it_was_written()
    {
        var domain = NewDomain() with { Description = "Größe\n'; drop table x", Enabled = false, CreatedAt = Noon.AddMicroseconds(1) };
        await SaveAsync(new IdentityChange.SaveDomain(domain));
        Assert.Equal(domain with { Version = 1 }, await _catalogue.FindDomainAsync(domain.Id, Stop));

        var changed = domain with { Name = Any(), Description = "", Enabled = true, Version = 1 };
        await SaveAsync(new IdentityChange.SaveDomain(changed));
        Assert.Equal(changed with { Version = 2 }, await _catalogue.FindDomainAsync(domain.Id, Stop));
    }

    [Fact]
    public async Task Every_field_of_a_project_is_read_back_as_it_was_written()
    {
        var project = NewProject(await AddDomainAsync()) with { Description = "日本語", Enabled = false };
        await SaveAsync(new IdentityChange.SaveProject(project));
        Assert.Equal(project with { Version = 1 }, await _catalogue.FindProjectAsync(project.Id, Stop));

        var changed = project with { Name = Any(), Description = "", Enabled = true, Version = 1 };
        await SaveAsync(new IdentityChange.SaveProject(changed));
        Assert.Equal(changed with { Version = 2 }, await _catalogue.FindProjectAsync(project.Id, Stop));
    }

    [Fact]
    public async Task Every_field_of_a_user_is_read_back_as_it_was_written()
    {
        var user = NewUser(await AddDomainAsync());
        await SaveAsync(new IdentityChange.SaveUser(user));
        Assert.Equal(user with { Version = 1 }, await _catalogue.FindUserAsync(user.Id, Stop));

        var changed = user with
        {
            Name = Any(),
            Description = "text",
            Email = "someone@example.org",
            DefaultProject = ProjectId.New(),
            PasswordHash = "hash",
            TokensValidFrom = Noon.AddMicroseconds(7),
            Enabled = false,
            Version = 1,
        };
        await SaveAsync(new IdentityChange.SaveUser(changed));
        Assert.Equal(changed with { Version = 2 }, await _catalogue.FindUserAsync(user.Id, Stop));
    }

    [Fact]
    public async Task Every_field_of_a_role_is_read_back_as_it_was_written()
    {
        var role = await AddRoleAsync();
        Assert.Equal(role, await _catalogue.FindRoleAsync(role.Id, Stop));

        var changed = role with { Name = Any(), Description = "text" };
        await SaveAsync(new IdentityChange.SaveRole(changed));
        Assert.Equal(changed with { Version = 2 }, await _catalogue.FindRoleAsync(role.Id, Stop));
    }

    [Fact]
    public async Task Every_field_of_an_application_credential_is_read_back_as_it_was_written()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var plain = NewCredential(user, project);
        var full = NewCredential(user, project) with
        {
            Description = "text",
            Roles = [RoleId.New(), RoleId.New()],
            Unrestricted = true,
            ExpiresAt = Noon.AddDays(1),
        };
        await SaveAsync(new IdentityChange.AddCredential(plain), new IdentityChange.AddCredential(full));

        AssertSame(plain, await _catalogue.FindCredentialAsync(plain.Id, Stop));
        AssertSame(full, await _catalogue.FindCredentialAsync(full.Id, Stop));
    }

    [Fact]
    public async Task What_never_was_is_not_found()
    {
        Assert.Null(await _catalogue.FindDomainAsync(Any(), Stop));
        Assert.Null(await _catalogue.FindProjectAsync(ProjectId.New(), Stop));
        Assert.Null(await _catalogue.FindUserAsync(UserId.New(), Stop));
        Assert.Null(await _catalogue.FindRoleAsync(RoleId.New(), Stop));
        Assert.Null(await _catalogue.FindCredentialAsync(ApplicationCredentialId.New(), Stop));
    }

    [Theory]
    [InlineData("a\0b")]
    [InlineData("a\ud800b")]
    public async Task Text_that_no_database_can_hold_finds_nothing(string text)
    {
        Assert.Null(await _catalogue.FindUserAsync(new UserId(text), Stop));
        Assert.Empty(await _catalogue.ListUsersAsync(new IdentityQuery(text, text), Stop));
        Assert.Empty(await _catalogue.ListDomainsAsync(text, Stop));
        Assert.Empty(await _catalogue.ListRolesAsync(text, Stop));
        Assert.Empty(await _catalogue.ListAssignmentsAsync(new AssignmentQuery(Target: AssignmentTarget.Domain(text)), Stop));
    }

    [Fact]
    public async Task Lists_come_in_the_order_of_names_and_fit_the_query_exactly()
    {
        var (first, second) = (await AddDomainAsync(), await AddDomainAsync());
        foreach (var name in new[] { "b", "B", "a", "á" })
            await SaveAsync(new IdentityChange.SaveProject(NewProject(first) with { Name = name }));
        await SaveAsync(new IdentityChange.SaveProject(NewProject(second) with { Name = "b" }));

        Assert.Equal(["B", "a", "b", "á"], await NamesAsync(new IdentityQuery(first.Id)));
        Assert.Equal(["b"], await NamesAsync(new IdentityQuery(first.Id, "b")));
        Assert.Equal(["b"], await NamesAsync(new IdentityQuery(second.Id)));
        Assert.Empty(await NamesAsync(new IdentityQuery(second.Id, "a")));
    }

    [Fact]
    public async Task A_name_is_unique_within_its_domain_alone()
    {
        var (first, second) = (await AddDomainAsync(), await AddDomainAsync());
        var user = await AddUserAsync(first);
        var project = await AddProjectAsync(first);

        var twin = NewUser(first) with { Name = user.Name };
        await Assert.ThrowsAsync<IdentityConflictException>(() => SaveAsync(new IdentityChange.SaveUser(twin)));
        var twinProject = NewProject(first) with { Name = project.Name };
        await Assert.ThrowsAsync<IdentityConflictException>(() => SaveAsync(new IdentityChange.SaveProject(twinProject)));

        await SaveAsync(new IdentityChange.SaveUser(twin with { Domain = second.Id }));
        await SaveAsync(new IdentityChange.SaveProject(twinProject with { Domain = second.Id }));
    }

    [Fact]
    public async Task A_name_cannot_be_taken_by_renaming_either()
    {
        var domain = await AddDomainAsync();
        var (first, second) = (await AddUserAsync(domain), await AddUserAsync(domain));

        var conflict = await Assert.ThrowsAsync<IdentityConflictException>(
            () => SaveAsync(new IdentityChange.SaveUser(second with { Name = first.Name })));

        Assert.Equal((IdentityKind.User, first.Name), (conflict.Kind, conflict.Name));
    }

    [Fact]
    public async Task Domains_and_roles_have_names_that_are_unique_everywhere()
    {
        var (domain, role) = (await AddDomainAsync(), await AddRoleAsync());
        await Assert.ThrowsAsync<IdentityConflictException>(
            () => SaveAsync(new IdentityChange.SaveDomain(NewDomain() with { Name = domain.Name })));
        await Assert.ThrowsAsync<IdentityConflictException>(
            () => SaveAsync(new IdentityChange.SaveRole(new Role { Id = RoleId.New(), Name = role.Name })));
    }

    [Fact]
    public async Task A_credentials_name_is_unique_among_those_of_its_user()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var first = NewCredential(user, project);
        await SaveAsync(new IdentityChange.AddCredential(first));
        await Assert.ThrowsAsync<IdentityConflictException>(
            () => SaveAsync(new IdentityChange.AddCredential(NewCredential(user, project) with { Name = first.Name })));

        var other = await AddUserAsync(await AddDomainAsync());
        await SaveAsync(new IdentityChange.AddCredential(NewCredential(other, project) with { Name = first.Name }));
        Assert.Equal(first.Id, Assert.Single(await _catalogue.ListCredentialsAsync(user.Id, first.Name, Stop)).Id);
    }

    [Fact]
    public async Task Of_two_changes_of_the_same_version_the_second_is_refused()
    {
        var user = await AddUserAsync(await AddDomainAsync());
        await SaveAsync(new IdentityChange.SaveUser(user with { Enabled = false }));

        await Assert.ThrowsAsync<ConcurrentChangeException>(() => SaveAsync(new IdentityChange.SaveUser(user with { Email = "x" })));

        Assert.False((await _catalogue.FindUserAsync(user.Id, Stop))!.Enabled);
    }

    [Fact]
    public async Task Changes_of_one_call_are_made_together_or_not_at_all()
    {
        var domain = await AddDomainAsync();
        var (taken, user) = (await AddUserAsync(domain), NewUser(domain));

        await Assert.ThrowsAsync<IdentityConflictException>(() => SaveAsync(
            new IdentityChange.SaveUser(user), new IdentityChange.SaveUser(NewUser(domain) with { Name = taken.Name })));

        Assert.Null(await _catalogue.FindUserAsync(user.Id, Stop));
    }

    [Fact]
    public async Task Nothing_is_made_that_refers_to_what_is_gone()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var role = await AddRoleAsync();
        var gone = NewDomain();

        await AssertMissingAsync(IdentityKind.Domain, new IdentityChange.SaveUser(NewUser(gone)));
        await AssertMissingAsync(IdentityKind.Domain, new IdentityChange.SaveProject(NewProject(gone)));
        await AssertMissingAsync(IdentityKind.User, Assign(UserId.New(), AssignmentTarget.System, role.Id));
        await AssertMissingAsync(IdentityKind.Role, Assign(user.Id, AssignmentTarget.System, RoleId.New()));
        await AssertMissingAsync(IdentityKind.Project, Assign(user.Id, AssignmentTarget.Project(ProjectId.New()), role.Id));
        await AssertMissingAsync(IdentityKind.Domain, Assign(user.Id, AssignmentTarget.Domain(gone.Id), role.Id));
        await AssertMissingAsync(
            IdentityKind.Project, new IdentityChange.AddCredential(NewCredential(user, project) with { Project = ProjectId.New() }));
        await AssertMissingAsync(
            IdentityKind.User, new IdentityChange.AddCredential(NewCredential(user, project) with { User = UserId.New() }));
    }

    [Fact]
    public async Task Assignments_are_found_by_each_part_of_the_query()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var (role, other) = (await AddRoleAsync(), await AddRoleAsync());
        var inProject = Assign(user.Id, AssignmentTarget.Project(project.Id), role.Id);
        var inDomain = Assign(user.Id, AssignmentTarget.Domain(project.Domain), role.Id);
        var inSystem = Assign(user.Id, AssignmentTarget.System, other.Id);
        await SaveAsync(inProject, inDomain, inSystem, inProject);

        Assert.Equal(3, (await _catalogue.ListAssignmentsAsync(new AssignmentQuery(user.Id), Stop)).Count);
        Assert.Equal(inProject.Assignment, await SingleAsync(new AssignmentQuery(Target: inProject.Assignment.Target)));
        Assert.Equal(inDomain.Assignment, await SingleAsync(new AssignmentQuery(Target: inDomain.Assignment.Target)));
        Assert.Equal(inSystem.Assignment, await SingleAsync(new AssignmentQuery(user.Id, AssignmentTarget.System)));
        Assert.Equal(inSystem.Assignment, await SingleAsync(new AssignmentQuery(Role: other.Id)));
    }

    [Fact]
    public async Task Taking_away_one_assignment_leaves_the_others_and_may_be_repeated()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var role = await AddRoleAsync();
        var kept = Assign(user.Id, AssignmentTarget.System, role.Id);
        var taken = Assign(user.Id, AssignmentTarget.Project(project.Id), role.Id);
        await SaveAsync(kept, taken);

        await SaveAsync(new IdentityChange.Unassign(taken.Assignment));
        await SaveAsync(new IdentityChange.Unassign(taken.Assignment));

        Assert.Equal(kept.Assignment, await SingleAsync(new AssignmentQuery(user.Id)));
    }

    [Fact]
    public async Task A_project_takes_its_assignments_and_credentials_along()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var role = await AddRoleAsync();
        var credential = NewCredential(user, project);
        await SaveAsync(Assign(user.Id, AssignmentTarget.Project(project.Id), role.Id), new IdentityChange.AddCredential(credential));

        await SaveAsync(new IdentityChange.DeleteProject(project.Id));

        Assert.Null(await _catalogue.FindProjectAsync(project.Id, Stop));
        Assert.Null(await _catalogue.FindCredentialAsync(credential.Id, Stop));
        Assert.Empty(await _catalogue.ListAssignmentsAsync(new AssignmentQuery(user.Id), Stop));
        Assert.NotNull(await _catalogue.FindUserAsync(user.Id, Stop));
    }

    [Fact]
    public async Task A_user_takes_its_assignments_and_credentials_along()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var role = await AddRoleAsync();
        var credential = NewCredential(user, project);
        await SaveAsync(Assign(user.Id, AssignmentTarget.System, role.Id), new IdentityChange.AddCredential(credential));

        await SaveAsync(new IdentityChange.DeleteUser(user.Id));

        Assert.Null(await _catalogue.FindUserAsync(user.Id, Stop));
        Assert.Null(await _catalogue.FindCredentialAsync(credential.Id, Stop));
        Assert.Empty(await _catalogue.ListAssignmentsAsync(new AssignmentQuery(Role: role.Id), Stop));
        Assert.NotNull(await _catalogue.FindProjectAsync(project.Id, Stop));
    }

    [Fact]
    public async Task A_role_takes_its_assignments_along()
    {
        var user = await AddUserAsync(await AddDomainAsync());
        var role = await AddRoleAsync();
        await SaveAsync(Assign(user.Id, AssignmentTarget.System, role.Id));

        await SaveAsync(new IdentityChange.DeleteRole(role.Id));

        Assert.Null(await _catalogue.FindRoleAsync(role.Id, Stop));
        Assert.Empty(await _catalogue.ListAssignmentsAsync(new AssignmentQuery(user.Id), Stop));
    }

    [Fact]
    public async Task A_domain_takes_all_that_is_in_it_along_and_nothing_else()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var stranger = await AddUserAsync(await AddDomainAsync());
        var role = await AddRoleAsync();
        var kept = Assign(stranger.Id, AssignmentTarget.System, role.Id);
        await SaveAsync(
            kept,
            Assign(user.Id, AssignmentTarget.System, role.Id),
            Assign(stranger.Id, AssignmentTarget.Project(project.Id), role.Id),
            Assign(stranger.Id, AssignmentTarget.Domain(project.Domain), role.Id));

        await SaveAsync(new IdentityChange.DeleteDomain(project.Domain));

        Assert.Null(await _catalogue.FindDomainAsync(project.Domain, Stop));
        Assert.Null(await _catalogue.FindProjectAsync(project.Id, Stop));
        Assert.Null(await _catalogue.FindUserAsync(user.Id, Stop));
        Assert.Equal(kept.Assignment, await SingleAsync(new AssignmentQuery(Role: role.Id)));
    }

    [Fact]
    public async Task Deleting_what_is_not_there_succeeds() => await SaveAsync(
        new IdentityChange.DeleteDomain(Any()),
        new IdentityChange.DeleteProject(ProjectId.New()),
        new IdentityChange.DeleteUser(UserId.New()),
        new IdentityChange.DeleteRole(RoleId.New()),
        new IdentityChange.DeleteCredential(ApplicationCredentialId.New()));

    [Fact]
    public async Task A_deleted_credential_is_gone()
    {
        var (user, project) = await AddUserAndProjectAsync();
        var credential = NewCredential(user, project);
        await SaveAsync(new IdentityChange.AddCredential(credential));
        await SaveAsync(new IdentityChange.DeleteCredential(credential.Id));
        Assert.Empty(await _catalogue.ListCredentialsAsync(user.Id, name: null, Stop));
    }

    [Fact]
    public async Task The_generation_grows_with_every_change_and_stays_without()
    {
        var before = (await _catalogue.CheckTokenAsync([], Stop)).Generation;
        Assert.Equal(before, (await _catalogue.CheckTokenAsync([], Stop)).Generation);

        await AddRoleAsync();
        Assert.True((await _catalogue.CheckTokenAsync([], Stop)).Generation > before);
    }

    [Fact]
    public async Task No_two_changes_at_once_have_the_same_generation()
    {
        var before = (await _catalogue.CheckTokenAsync([], Stop)).Generation;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => AddRoleAsync()));
        Assert.Equal(before + 8, (await _catalogue.CheckTokenAsync([], Stop)).Generation);
    }

    [Fact]
    public async Task Of_many_who_take_a_name_at_once_one_gets_it()
    {
        var domain = await AddDomainAsync();
        var name = Any();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Record.ExceptionAsync(
            () => SaveAsync(new IdentityChange.SaveUser(NewUser(domain) with { Name = name }))).AsTask()));

        Assert.Single(outcomes, outcome => outcome is null);
        Assert.Equal(7, outcomes.OfType<IdentityConflictException>().Count());
    }

    [Fact]
    public async Task A_token_is_revoked_where_any_of_its_audit_ids_is()
    {
        var (revoked, valid) = (Any(), Any());
        await _catalogue.RevokeTokenAsync(revoked, Noon.AddHours(1), Noon, Stop);
        await _catalogue.RevokeTokenAsync(revoked, Noon.AddHours(1), Noon, Stop);

        Assert.True((await _catalogue.CheckTokenAsync([revoked], Stop)).Revoked);
        Assert.True((await _catalogue.CheckTokenAsync([valid, revoked], Stop)).Revoked);
        Assert.False((await _catalogue.CheckTokenAsync([valid], Stop)).Revoked);
        Assert.False((await _catalogue.CheckTokenAsync([], Stop)).Revoked);
    }

    [Fact]
    public async Task A_revocation_is_kept_until_the_token_has_expired_and_forgotten_long_after()
    {
        var (first, second) = (Any(), Any());
        await _catalogue.RevokeTokenAsync(first, Noon.AddHours(1), Noon, Stop);

        await _catalogue.RevokeTokenAsync(Any(), Noon.AddDays(9), Noon.AddHours(1), Stop);
        Assert.True((await _catalogue.CheckTokenAsync([first], Stop)).Revoked);

        await _catalogue.RevokeTokenAsync(second, Noon.AddDays(9), Noon.AddDays(2), Stop);
        Assert.False((await _catalogue.CheckTokenAsync([first], Stop)).Revoked);
        Assert.True((await _catalogue.CheckTokenAsync([second], Stop)).Revoked);
    }

    private async Task AssertMissingAsync(IdentityKind kind, IdentityChange change) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<IdentityNotFoundException>(() => SaveAsync(change))).Kind);

    // Lists within records compare by reference.
    private static void AssertSame(ApplicationCredential expected, ApplicationCredential? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Roles, actual.Roles.AsEnumerable());
        Assert.Equal(expected with { Roles = [] }, actual with { Roles = [] });
    }

    private async Task<RoleAssignment> SingleAsync(AssignmentQuery query) =>
        Assert.Single(await _catalogue.ListAssignmentsAsync(query, Stop));

    private async Task<IEnumerable<string>> NamesAsync(IdentityQuery query) =>
        (await _catalogue.ListProjectsAsync(query, Stop)).Select(p => p.Name);

    private async Task<IdentityDomain> AddDomainAsync()
    {
        var domain = NewDomain();
        await SaveAsync(new IdentityChange.SaveDomain(domain));
        return domain with { Version = 1 };
    }

    private async Task<User> AddUserAsync(IdentityDomain domain)
    {
        var user = NewUser(domain);
        await SaveAsync(new IdentityChange.SaveUser(user));
        return user with { Version = 1 };
    }

    private async Task<Project> AddProjectAsync(IdentityDomain domain)
    {
        var project = NewProject(domain);
        await SaveAsync(new IdentityChange.SaveProject(project));
        return project with { Version = 1 };
    }

    private async Task<(User User, Project Project)> AddUserAndProjectAsync()
    {
        var domain = await AddDomainAsync();
        return (await AddUserAsync(domain), await AddProjectAsync(domain));
    }

    private async Task<Role> AddRoleAsync()
    {
        var role = new Role { Id = RoleId.New(), Name = Any() };
        await SaveAsync(new IdentityChange.SaveRole(role));
        return role with { Version = 1 };
    }

    private Task SaveAsync(params IdentityChange[] changes) => _catalogue.SaveAsync(changes, Stop);

    private static IdentityChange.Assign Assign(UserId user, AssignmentTarget target, RoleId role) =>
        new(new RoleAssignment(user, target, role));

    private static IdentityDomain NewDomain() => new() { Id = IdentityIds.New(), Name = Any(), CreatedAt = Noon };

    private static Project NewProject(IdentityDomain domain) =>
        new() { Id = ProjectId.New(), Name = Any(), Domain = domain.Id, CreatedAt = Noon };

    private static User NewUser(IdentityDomain domain) => new() { Id = UserId.New(), Name = Any(), Domain = domain.Id, CreatedAt = Noon };

    private static ApplicationCredential NewCredential(User user, Project project) => new()
    {
        Id = ApplicationCredentialId.New(),
        Name = Any(),
        User = user.Id,
        Project = project.Id,
        SecretHash = "hash",
        Roles = ImmutableArray<RoleId>.Empty,
        CreatedAt = Noon,
    };

    private static string Any() => Guid.NewGuid().ToString("N");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteIdentityCatalogueTests(SqliteFixture fixture) : IdentityCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresIdentityCatalogueTests(PostgresFixture fixture) : IdentityCatalogueContract(fixture), IClassFixture<PostgresFixture>;
