using Vitrine.Access;
using Vitrine.Testing;

namespace Vitrine.UnitTests.Access;

/// <summary>Who gets in, with what, for how long.</summary>
public sealed class LoginsTests : IAsyncLifetime
{
    private IdentityHouse _house = null!;

    public async ValueTask InitializeAsync() => _house = await IdentityHouse.StartAsync(Stop);

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task A_login_says_who_where_and_with_which_roles()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var login = await LogInAsync(guest);

        Assert.Equal(guest.User.Id, login.User.Id);
        Assert.Equal("Default", login.UserDomain.Name);
        Assert.Equal(guest.Project.Id, Assert.IsType<LoginScope.InProject>(login.Scope).Project.Id);
        Assert.Equal(["member", "reader"], login.Roles.Select(r => r.Name));
        Assert.Equal(["password"], login.Methods);
        Assert.Single(login.AuditIds);
        Assert.Equal(TimeSpan.FromHours(12), login.ExpiresAt - login.IssuedAt);
        Assert.Equal(guest.Project.Id, login.Caller.Project);
        Assert.True(login.Caller is { IsAdmin: false, IsMember: true, Domain: "default" });
    }

    [Fact]
    public async Task A_token_stands_for_the_login_that_issued_it()
    {
        var login = await _house.AdminAsync(Stop);
        var again = await _house.Logins.ValidateAsync(login.Token, Stop);

        Assert.Equal((login.Token, login.IssuedAt, login.ExpiresAt), (again.Token, again.IssuedAt, again.ExpiresAt));
        Assert.Equal(login.AuditIds, again.AuditIds);
        Assert.Equal(login.Methods, again.Methods);
        Assert.Equal(login.Caller.Roles.Order(), again.Caller.Roles.Order());
        Assert.Equal(["admin", "member", "reader"], again.Caller.Roles.Order());
    }

    [Fact]
    public async Task Every_way_to_fail_is_the_same_failure()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var none = new ScopeRequest.Unscoped();
        await AssertRefusedAsync(UserReference.ByName("nobody"), guest.Password, none);
        await AssertRefusedAsync(UserReference.ByName("ann", "elsewhere"), guest.Password, none);
        await AssertRefusedAsync(UserReference.ByName("ann"), "wrong", none);
        await AssertRefusedAsync(UserReference.ByName("ann"), "", none);
        await AssertRefusedAsync(UserReference.ByName("ann"), new string('x', 5000), none);
        await AssertRefusedAsync(UserReference.ById(UserId.New()), guest.Password, none);
        await AssertRefusedAsync(new UserReference(new string('x', 1000), Name: null, Domain: null), guest.Password, none);
        await AssertRefusedAsync(new UserReference(Id: null, "a\0b", new DomainReference("default", Name: null)), guest.Password, none);
        await AssertRefusedAsync(UserReference.ByName("ann"), guest.Password, IdentityHouse.ToProject("no such project"));
        await AssertRefusedAsync(UserReference.ByName("ann"), guest.Password, IdentityHouse.ToProject("admin"));
        await AssertRefusedAsync(UserReference.ByName("ann"), guest.Password, new ScopeRequest.ToSystem());
        await AssertRefusedAsync(
            UserReference.ByName("ann"), guest.Password, new ScopeRequest.ToDomain(new DomainReference("default", Name: null)));
    }

    [Fact]
    public async Task A_user_without_a_password_cannot_log_in_by_one()
    {
        var admin = (await _house.AdminAsync(Stop)).Caller;
        await _house.Identity.CreateUserAsync(admin, new UserDraft("robot", Password: null), Stop);
        await AssertRefusedAsync(UserReference.ByName("robot"), "anything", new ScopeRequest.Unscoped());
    }

    [Fact]
    public async Task Users_projects_and_domains_can_be_named_by_id_or_name()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        UserReference[] users =
        [
            UserReference.ById(guest.User.Id),
            new(guest.User.Id.Value, Name: null, new DomainReference("ignored", Name: null)),
            new(Id: null, "ann", new DomainReference(Id: null, "Default")),
        ];
        ProjectReference[] projects =
        [
            new(guest.Project.Id.Value, Name: null, Domain: null),
            new(Id: null, "ann", new DomainReference(Id: null, "Default")),
        ];

        foreach (var (user, project) in users.SelectMany(user => projects.Select(project => (user, project))))
        {
            var login = await _house.Logins.ByPasswordAsync(user, guest.Password, new ScopeRequest.ToProject(project), Stop);
            Assert.Equal(guest.Project.Id, login.Caller.Project);
        }
    }

    [Fact]
    public async Task A_login_can_be_for_the_system_a_domain_or_nothing()
    {
        var admin = await _house.AdminAsync(Stop);
        var role = admin.Roles.Single(r => r.Name == RoleNames.Member);
        await _house.Identity.AssignAsync(
            admin.Caller, new RoleAssignment(admin.User.Id, AssignmentTarget.Domain(IdentityIds.DefaultDomain), role.Id), Stop);

        var system = await AdminLoginAsync(new ScopeRequest.ToSystem());
        Assert.IsType<LoginScope.InSystem>(system.Scope);
        Assert.True(system.Caller is { IsAdmin: true, Project: null });

        var domain = await AdminLoginAsync(new ScopeRequest.ToDomain(new DomainReference(Id: null, "Default")));
        Assert.Equal("default", Assert.IsType<LoginScope.InDomain>(domain.Scope).Domain.Id);
        Assert.Equal(["member", "reader"], domain.Caller.Roles.Order());

        var unscoped = await AdminLoginAsync(new ScopeRequest.Unscoped());
        Assert.IsType<LoginScope.None>(unscoped.Scope);
        Assert.Empty(unscoped.Caller.Roles);
    }

    [Fact]
    public async Task A_login_that_asks_for_nothing_gets_the_default_project_where_it_can()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var admin = (await _house.AdminAsync(Stop)).Caller;
        Assert.Null((await LogInAsync(guest, new ScopeRequest.Default())).Caller.Project);

        await _house.Identity.UpdateUserAsync(admin, guest.User.Id, new UserUpdate { DefaultProject = guest.Project.Id }, Stop);
        Assert.Equal(guest.Project.Id, (await LogInAsync(guest, new ScopeRequest.Default())).Caller.Project);
        Assert.Null((await LogInAsync(guest, new ScopeRequest.Unscoped())).Caller.Project);

        await _house.Identity.UnassignAsync(admin, guest.Assignment, Stop);
        Assert.Null((await LogInAsync(guest, new ScopeRequest.Default())).Caller.Project);
    }

    [Fact]
    public async Task A_login_from_a_token_ends_when_the_first_does_and_tells_where_it_came_from()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var first = await LogInAsync(guest, new ScopeRequest.Unscoped());
        _house.Clock.Advance(TimeSpan.FromHours(1));

        var second = await _house.Logins.ByTokenAsync(first.Token, IdentityHouse.ToProject("ann"), Stop);
        var third = await _house.Logins.ByTokenAsync(second.Token, new ScopeRequest.Unscoped(), Stop);

        Assert.Equal(["token", "password"], second.Methods);
        Assert.Equal(["token", "password"], third.Methods);
        Assert.Equal((first.ExpiresAt, first.ExpiresAt), (second.ExpiresAt, third.ExpiresAt));
        Assert.Equal(first.IssuedAt + TimeSpan.FromHours(1), second.IssuedAt);
        Assert.Equal((first.AuditIds[0], first.AuditIds[0]), (second.AuditIds[1], third.AuditIds[1]));
        Assert.Equal(3, new[] { first, second, third }.Select(l => l.AuditIds[0]).Distinct().Count());
        await Assert.ThrowsAsync<UnauthenticatedException>(
            () => _house.Logins.ByTokenAsync(first.Token, IdentityHouse.ToProject("admin"), Stop));
    }

    [Fact]
    public async Task A_token_holds_until_its_time_is_over()
    {
        var login = await _house.AdminAsync(Stop);
        _house.Clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromMicroseconds(1));
        await _house.Logins.ValidateAsync(login.Token, Stop);

        _house.Clock.Advance(TimeSpan.FromMicroseconds(1));
        await AssertVoidAsync(login);
    }

    [Fact]
    public async Task A_token_that_was_altered_cut_or_made_up_is_refused()
    {
        var token = (await _house.AdminAsync(Stop)).Token;
        var middle = token.Length / 2;
        var flipped = token[..middle] + (token[middle] == 'A' ? 'B' : 'A') + token[(middle + 1)..];
        foreach (var forged in new[] { "", "x", "é", flipped, token[..^1], token + "A", token + token, new string('A', 100_000), "{\"u\":\"admin\"}" })
            await Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ValidateAsync(forged, Stop));
    }

    [Fact]
    public async Task What_was_protected_for_another_purpose_is_no_token()
    {
        var secrets = new Vitrine.Catalogue.DataProtectionSecrets(new Microsoft.AspNetCore.DataProtection.EphemeralDataProtectionProvider(), "secrets");
        var text = secrets.Protect("{}");
        Assert.Equal("{}", secrets.Unprotect(text));
        await Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ValidateAsync(text, Stop));
    }

    [Fact]
    public async Task A_revoked_token_and_those_made_from_it_are_refused_at_once_on_every_node()
    {
        var other = _house.OtherNode();
        var first = await _house.AdminAsync(Stop);
        var bystander = await _house.AdminAsync(Stop);
        var second = await _house.Logins.ByTokenAsync(first.Token, IdentityHouse.ToProject("admin"), Stop);
        await other.ValidateAsync(first.Token, Stop);

        await _house.Logins.RevokeAsync(first.Token, Stop);

        await AssertVoidAsync(first);
        await AssertVoidAsync(second);
        await Assert.ThrowsAsync<UnauthenticatedException>(() => other.ValidateAsync(first.Token, Stop));
        await other.ValidateAsync(bystander.Token, Stop);
    }

    [Fact]
    public async Task Revoking_a_token_made_from_another_leaves_the_first_alone()
    {
        var first = await _house.AdminAsync(Stop);
        var second = await _house.Logins.ByTokenAsync(first.Token, IdentityHouse.ToProject("admin"), Stop);
        await _house.Logins.RevokeAsync(second.Token, Stop);

        await AssertVoidAsync(second);
        await _house.Logins.ValidateAsync(first.Token, Stop);
    }

    [Fact]
    public async Task A_role_given_or_taken_counts_with_the_next_request_on_every_node()
    {
        var other = _house.OtherNode();
        var guest = await _house.AddGuestAsync("ann", RoleNames.Reader, Stop);
        var admin = await _house.AdminAsync(Stop);
        var login = await LogInAsync(guest);
        Assert.False((await other.ValidateAsync(login.Token, Stop)).Caller.IsMember);

        var member = guest.Assignment with { Role = admin.Roles.Single(r => r.Name == RoleNames.Member).Id };
        await _house.Identity.AssignAsync(admin.Caller, member, Stop);
        Assert.True((await other.ValidateAsync(login.Token, Stop)).Caller.IsMember);
        Assert.True((await _house.Logins.ValidateAsync(login.Token, Stop)).Caller.IsMember);

        await _house.Identity.UnassignAsync(admin.Caller, member, Stop);
        await _house.Identity.UnassignAsync(admin.Caller, guest.Assignment, Stop);
        await AssertVoidAsync(login);
        await Assert.ThrowsAsync<UnauthenticatedException>(() => other.ValidateAsync(login.Token, Stop));
    }

    [Fact]
    public async Task A_new_password_ends_all_logins_and_the_old_one_is_refused()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var login = await LogInAsync(guest);
        await _house.Identity.ChangePasswordAsync(login.Caller, guest.User.Id, guest.Password, "another pass phrase", Stop);

        await AssertVoidAsync(login);
        await AssertRefusedAsync(UserReference.ByName("ann"), guest.Password, new ScopeRequest.Unscoped());
        // The clock has not moved; what was issued before and after is told apart all the same.
        var again = await _house.LogInAsync("ann", "another pass phrase", IdentityHouse.ToProject("ann"), Stop);
        await _house.Logins.ValidateAsync(again.Token, Stop);
    }

    [Fact]
    public async Task A_disabled_user_is_out_and_its_old_logins_stay_void_when_it_is_enabled_again()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var admin = (await _house.AdminAsync(Stop)).Caller;
        var login = await LogInAsync(guest);

        await _house.Identity.UpdateUserAsync(admin, guest.User.Id, new UserUpdate { Enabled = false }, Stop);
        await AssertVoidAsync(login);
        await AssertRefusedAsync(UserReference.ByName("ann"), guest.Password, new ScopeRequest.Unscoped());

        await _house.Identity.UpdateUserAsync(admin, guest.User.Id, new UserUpdate { Enabled = true }, Stop);
        await AssertVoidAsync(login);
        await LogInAsync(guest);
    }

    [Fact]
    public async Task A_disabled_or_deleted_project_takes_its_logins_along()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var admin = (await _house.AdminAsync(Stop)).Caller;
        var login = await LogInAsync(guest);

        await _house.Identity.UpdateProjectAsync(admin, guest.Project.Id, new ProjectUpdate(Enabled: false), Stop);
        await AssertVoidAsync(login);
        await _house.Identity.UpdateProjectAsync(admin, guest.Project.Id, new ProjectUpdate(Enabled: true), Stop);
        await _house.Logins.ValidateAsync(login.Token, Stop);

        await _house.Identity.DeleteProjectAsync(admin, guest.Project.Id, Stop);
        await AssertVoidAsync(login);
    }

    [Fact]
    public async Task A_disabled_domain_locks_out_its_users()
    {
        var admin = (await _house.AdminAsync(Stop)).Caller;
        var domain = await _house.Identity.CreateDomainAsync(admin, new DomainDraft("partners"), Stop);
        await _house.Identity.CreateUserAsync(admin, new UserDraft("ann", "pass phrase", domain.Id), Stop);
        var login = await _house.Logins.ByPasswordAsync(
            UserReference.ByName("ann", domain.Id), "pass phrase", new ScopeRequest.Unscoped(), Stop);

        await _house.Identity.UpdateDomainAsync(admin, domain.Id, new DomainUpdate(Enabled: false), Stop);

        await AssertVoidAsync(login);
        await AssertRefusedAsync(UserReference.ByName("ann", domain.Id), "pass phrase", new ScopeRequest.Unscoped());
    }

    [Fact]
    public async Task After_ten_wrong_passwords_the_right_one_is_refused_for_a_minute()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        for (var i = 0; i < 10; i++)
            await AssertRefusedAsync(UserReference.ByName("ann"), "wrong", new ScopeRequest.Unscoped());
        await AssertRefusedAsync(UserReference.ByName("ann"), guest.Password, new ScopeRequest.Unscoped());

        _house.Clock.Advance(TimeSpan.FromSeconds(59));
        await AssertRefusedAsync(UserReference.ByName("ann"), guest.Password, new ScopeRequest.Unscoped());
        // Nobody else is locked out, and asking did not prolong the lockout.
        await _house.AdminAsync(Stop);
        _house.Clock.Advance(TimeSpan.FromSeconds(1));
        await LogInAsync(guest);
    }

    [Fact]
    public async Task The_old_password_of_a_change_cannot_be_guessed_any_faster()
    {
        var guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        var login = await LogInAsync(guest);
        for (var i = 0; i < 10; i++)
        {
            await Assert.ThrowsAsync<UnauthenticatedException>(
                () => _house.Identity.ChangePasswordAsync(login.Caller, guest.User.Id, "wrong", "new", Stop));
        }

        await Assert.ThrowsAsync<UnauthenticatedException>(
            () => _house.Identity.ChangePasswordAsync(login.Caller, guest.User.Id, guest.Password, "new", Stop));
    }

    [Fact]
    public async Task Others_tokens_are_inspected_by_administrators_alone()
    {
        var guest = await LogInAsync(await _house.AddGuestAsync("ann", RoleNames.Member, Stop));
        var admin = await _house.AdminAsync(Stop);

        Assert.Equal(guest.User.Id, (await _house.Logins.InspectAsync(admin, guest.Token, Stop)).User.Id);
        Assert.Equal(guest.User.Id, (await _house.Logins.InspectAsync(guest, guest.Token, Stop)).User.Id);
        await Assert.ThrowsAsync<ForbiddenException>(() => _house.Logins.InspectAsync(guest, admin.Token, Stop));
        await Assert.ThrowsAsync<IdentityNotFoundException>(() => _house.Logins.InspectAsync(guest, "no token", Stop));
    }

    [Fact]
    public async Task Nothing_secret_is_printed_with_a_record()
    {
        var login = await _house.AdminAsync(Stop);
        Assert.DoesNotContain(login.Token, $"{login}", StringComparison.Ordinal);
        Assert.DoesNotContain(login.User.PasswordHash!, $"{login.User}", StringComparison.Ordinal);
        Assert.DoesNotContain("hush", $"{new UserDraft("a", "hush")} {new UserUpdate(Password: "hush")} {new CredentialDraft("a", "hush")}", StringComparison.Ordinal);
    }

    private Task<Login> LogInAsync(Guest guest, ScopeRequest? scope = null) =>
        _house.LogInAsync(guest.User.Name, guest.Password, scope ?? IdentityHouse.ToProject(guest.Project.Name), Stop);

    private Task<Login> AdminLoginAsync(ScopeRequest scope) =>
        _house.LogInAsync(Bootstrap.AdminName, IdentityHouse.AdminPassword, scope, Stop);

    private Task AssertVoidAsync(Login login) =>
        Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ValidateAsync(login.Token, Stop));

    private Task AssertRefusedAsync(UserReference user, string password, ScopeRequest scope) =>
        Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ByPasswordAsync(user, password, scope, Stop));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
