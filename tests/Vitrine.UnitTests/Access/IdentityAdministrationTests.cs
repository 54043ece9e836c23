using Vitrine.Access;
using Vitrine.Testing;

namespace Vitrine.UnitTests.Access;

/// <summary>Who may do what to users, projects, domains and roles.</summary>
public sealed class IdentityAdministrationTests : IAsyncLifetime
{
    private IdentityHouse _house = null!;
    private Caller _admin = null!;
    private Guest _guest = null!;

    public static TheoryData<string> Forbidden => [.. Calls.Keys];

    // All that only administrators may do, done by a member to things of others.
    private static readonly Dictionary<string, Func<IdentityAdministration, Caller, Target, Task>> Calls = new()
    {
        ["create domain"] = (identity, caller, _) => identity.CreateDomainAsync(caller, new DomainDraft("x"), Stop),
        ["list domains"] = (identity, caller, _) => identity.ListDomainsAsync(caller, name: null, Stop),
        ["get another domain"] = (identity, caller, target) => identity.GetDomainAsync(caller, target.Domain, Stop),
        ["update domain"] = (identity, caller, target) => identity.UpdateDomainAsync(caller, target.Domain, new DomainUpdate("x"), Stop),
        ["delete domain"] = (identity, caller, target) => identity.DeleteDomainAsync(caller, target.Domain, Stop),
        ["create project"] = (identity, caller, _) => identity.CreateProjectAsync(caller, new ProjectDraft("x"), Stop),
        ["list projects"] = (identity, caller, _) => identity.ListProjectsAsync(caller, new IdentityQuery(), Stop),
        ["get another project"] = (identity, caller, target) => identity.GetProjectAsync(caller, target.Project, Stop),
        ["update project"] = (identity, caller, target) => identity.UpdateProjectAsync(caller, target.Project, new ProjectUpdate("x"), Stop),
        ["delete project"] = (identity, caller, target) => identity.DeleteProjectAsync(caller, target.Project, Stop),
        ["list another's projects"] = (identity, caller, target) => identity.ListProjectsOfAsync(caller, target.User, Stop),
        ["list another's domains"] = (identity, caller, target) => identity.ListDomainsOfAsync(caller, target.User, Stop),
        ["create user"] = (identity, caller, _) => identity.CreateUserAsync(caller, new UserDraft("x", "y"), Stop),
        ["list users"] = (identity, caller, _) => identity.ListUsersAsync(caller, new IdentityQuery(), Stop),
        ["get another user"] = (identity, caller, target) => identity.GetUserAsync(caller, target.User, Stop),
        ["update user"] = (identity, caller, target) => identity.UpdateUserAsync(caller, target.User, new UserUpdate(Password: "x"), Stop),
        ["update itself"] = (identity, caller, _) => identity.UpdateUserAsync(caller, caller.User, new UserUpdate(Password: "x"), Stop),
        ["change another's password"] = (identity, caller, target) =>
            identity.ChangePasswordAsync(caller, target.User, IdentityHouse.AdminPassword, "x", Stop),
        ["delete user"] = (identity, caller, target) => identity.DeleteUserAsync(caller, target.User, Stop),
        ["create role"] = (identity, caller, _) => identity.CreateRoleAsync(caller, new RoleDraft("x"), Stop),
        ["list roles"] = (identity, caller, _) => identity.ListRolesAsync(caller, name: null, Stop),
        ["get role"] = (identity, caller, target) => identity.GetRoleAsync(caller, target.Role, Stop),
        ["update role"] = (identity, caller, target) => identity.UpdateRoleAsync(caller, target.Role, new RoleUpdate("x"), Stop),
        ["delete role"] = (identity, caller, target) => identity.DeleteRoleAsync(caller, target.Role, Stop),
        ["make itself admin"] = (identity, caller, target) =>
            identity.AssignAsync(caller, new RoleAssignment(caller.User, AssignmentTarget.System, target.Role), Stop),
        ["take a role away"] = (identity, caller, target) =>
            identity.UnassignAsync(caller, new RoleAssignment(target.User, AssignmentTarget.System, target.Role), Stop),
        ["check another's role"] = (identity, caller, target) =>
            identity.CheckAssignedAsync(caller, new RoleAssignment(target.User, AssignmentTarget.System, target.Role), Stop),
        ["list all assignments"] = (identity, caller, _) =>
            identity.ListAssignmentsAsync(caller, new AssignmentQuery(), effective: false, Stop),
        ["list another's assignments"] = (identity, caller, target) =>
            identity.ListAssignmentsAsync(caller, new AssignmentQuery(target.User), effective: false, Stop),
    };

    public async ValueTask InitializeAsync()
    {
        _house = await IdentityHouse.StartAsync(Stop);
        _admin = (await _house.AdminAsync(Stop)).Caller;
        _guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
    }

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Theory, MemberData(nameof(Forbidden))]
    public async Task A_member_is_refused_whether_the_thing_exists_or_not(string call)
    {
        var member = (await _house.LogInAsync("ann", _guest.Password, IdentityHouse.ToProject("ann"), Stop)).Caller;
        var domain = await _house.Identity.CreateDomainAsync(_admin, new DomainDraft("other"), Stop);
        var role = (await _house.Catalogue.ListRolesAsync(RoleNames.Admin, Stop)).Single();
        var existing = new Target(_admin.User, _admin.Project!.Value, domain.Id, role.Id);
        var missing = new Target(UserId.New(), ProjectId.New(), IdentityIds.New(), RoleId.New());

        await Assert.ThrowsAsync<ForbiddenException>(() => Calls[call](_house.Identity, member, existing));
        await Assert.ThrowsAsync<ForbiddenException>(() => Calls[call](_house.Identity, member, missing));
    }

    [Fact]
    public async Task Users_read_themselves_their_projects_and_their_assignments()
    {
        var caller = (await _house.LogInAsync("ann", _guest.Password, new ScopeRequest.Unscoped(), Stop)).Caller;

        Assert.Equal("ann", (await _house.Identity.GetUserAsync(caller, caller.User, Stop)).Name);
        Assert.Equal("ann", (await _house.Identity.GetProjectAsync(caller, _guest.Project.Id, Stop)).Name);
        Assert.Equal("ann", Assert.Single(await _house.Identity.ListProjectsOfAsync(caller, caller.User, Stop)).Name);
        Assert.Equal("Default", (await _house.Identity.GetDomainAsync(caller, IdentityIds.DefaultDomain, Stop)).Name);
        var own = await _house.Identity.ListAssignmentsAsync(caller, new AssignmentQuery(caller.User), effective: true, Stop);
        Assert.Equal(["member", "reader"], own.Select(a => a.Role.Name));
        await _house.Identity.CheckAssignedAsync(caller, _guest.Assignment, Stop);
    }

    [Fact]
    public async Task A_disabled_project_is_none_that_a_user_can_log_in_to()
    {
        await _house.Identity.UpdateProjectAsync(_admin, _guest.Project.Id, new ProjectUpdate(Enabled: false), Stop);
        Assert.Empty(await _house.Identity.ListProjectsOfAsync(_admin, _guest.User.Id, Stop));
    }

    [Fact]
    public async Task An_update_changes_what_it_names_and_nothing_else()
    {
        var user = await _house.Identity.UpdateUserAsync(
            _admin, _guest.User.Id, new UserUpdate(Email: "ann@example.org", DefaultProject: _guest.Project.Id), Stop);
        var renamed = await _house.Identity.UpdateUserAsync(_admin, user.Id, new UserUpdate("anna"), Stop);
        Assert.Equal(("anna", "ann@example.org", _guest.Project.Id), (renamed.Name, renamed.Email, renamed.DefaultProject!.Value));

        var cleared = await _house.Identity.UpdateUserAsync(_admin, user.Id, new UserUpdate { NoDefaultProject = true }, Stop);
        Assert.Null(cleared.DefaultProject);
        await _house.LogInAsync("anna", _guest.Password, new ScopeRequest.Unscoped(), Stop);
    }

    [Fact]
    public async Task An_effective_list_can_be_asked_for_an_implied_role()
    {
        var reader = (await _house.Catalogue.ListRolesAsync(RoleNames.Reader, Stop)).Single();
        var query = new AssignmentQuery(_guest.User.Id, Role: reader.Id);
        Assert.Empty(await _house.Identity.ListAssignmentsAsync(_admin, query, effective: false, Stop));
        Assert.Single(await _house.Identity.ListAssignmentsAsync(_admin, query, effective: true, Stop));
    }

    [Fact]
    public async Task What_the_product_relies_on_cannot_be_renamed_disabled_or_deleted()
    {
        foreach (var name in IdentityRules.BuiltInRoles)
        {
            var role = (await _house.Catalogue.ListRolesAsync(name, Stop)).Single();
            await Assert.ThrowsAsync<BuiltInIdentityException>(() => _house.Identity.DeleteRoleAsync(_admin, role.Id, Stop));
            await Assert.ThrowsAsync<BuiltInIdentityException>(
                () => _house.Identity.UpdateRoleAsync(_admin, role.Id, new RoleUpdate("other"), Stop));
            await _house.Identity.UpdateRoleAsync(_admin, role.Id, new RoleUpdate(name, "described"), Stop);
        }

        await Assert.ThrowsAsync<BuiltInIdentityException>(
            () => _house.Identity.DeleteDomainAsync(_admin, IdentityIds.DefaultDomain, Stop));
        await Assert.ThrowsAsync<BuiltInIdentityException>(
            () => _house.Identity.UpdateDomainAsync(_admin, IdentityIds.DefaultDomain, new DomainUpdate(Enabled: false), Stop));
    }

    [Fact]
    public async Task A_domain_is_deleted_only_after_it_was_disabled()
    {
        var domain = await _house.Identity.CreateDomainAsync(_admin, new DomainDraft("partners"), Stop);
        await Assert.ThrowsAsync<DomainEnabledException>(() => _house.Identity.DeleteDomainAsync(_admin, domain.Id, Stop));

        await _house.Identity.UpdateDomainAsync(_admin, domain.Id, new DomainUpdate(Enabled: false), Stop);
        await _house.Identity.DeleteDomainAsync(_admin, domain.Id, Stop);
        await Assert.ThrowsAsync<IdentityNotFoundException>(() => _house.Identity.GetDomainAsync(_admin, domain.Id, Stop));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    public async Task A_name_that_cannot_be_read_is_refused(string name)
    {
        await Assert.ThrowsAsync<InvalidFieldException>(() => _house.Identity.CreateUserAsync(_admin, new UserDraft(name, "x"), Stop));
        await Assert.ThrowsAsync<InvalidFieldException>(() => _house.Identity.CreateProjectAsync(_admin, new ProjectDraft(name), Stop));
    }

    [Fact]
    public async Task Lengths_have_limits()
    {
        await _house.Identity.CreateUserAsync(_admin, new UserDraft(new string('n', 255), new string('p', 4096)), Stop);
        await AssertInvalidAsync(new UserDraft(new string('n', 256), "x"));
        await AssertInvalidAsync(new UserDraft("x", new string('p', 4097)));
        await AssertInvalidAsync(new UserDraft("x", new string('é', 2049)));
        await AssertInvalidAsync(new UserDraft("x", ""));
        await AssertInvalidAsync(new UserDraft("x", "y", Description: new string('d', 4097)));
    }

    private Task AssertInvalidAsync(UserDraft draft) =>
        Assert.ThrowsAsync<InvalidFieldException>(() => _house.Identity.CreateUserAsync(_admin, draft, Stop));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private sealed record Target(UserId User, ProjectId Project, string Domain, RoleId Role);
}
