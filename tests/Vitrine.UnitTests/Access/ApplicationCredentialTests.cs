using Vitrine.Access;
using Vitrine.Testing;

namespace Vitrine.UnitTests.Access;

/// <summary>Secrets by which programs log in as a user, with no more than the user gave them.</summary>
public sealed class ApplicationCredentialTests : IAsyncLifetime
{
    private IdentityHouse _house = null!;
    private Guest _guest = null!;
    private Login _login = null!;

    public async ValueTask InitializeAsync()
    {
        _house = await IdentityHouse.StartAsync(Stop);
        _guest = await _house.AddGuestAsync("ann", RoleNames.Member, Stop);
        _login = await _house.LogInAsync("ann", _guest.Password, IdentityHouse.ToProject("ann"), Stop);
    }

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task A_program_logs_in_by_id_or_by_name_and_user()
    {
        var made = await CreateAsync(new CredentialDraft("robot"));
        var byId = await LogInAsync(made);
        var byName = await _house.Logins.ByApplicationCredentialAsync(
            new CredentialReference(Id: null, "robot", UserReference.ByName("ann")), made.Secret, Stop);

        Assert.All([byId, byName], login =>
        {
            Assert.Equal(_guest.User.Id, login.User.Id);
            Assert.Equal(_guest.Project.Id, login.Caller.Project);
            Assert.Equal(["member", "reader"], login.Caller.Roles.Order());
            Assert.Equal(["application_credential"], login.Methods);
        });
        Assert.Equal(made.Credential.Id, (await _house.Logins.ValidateAsync(byId.Token, Stop)).Credential?.Id);
    }

    [Fact]
    public async Task The_secret_is_the_one_that_was_asked_for_or_one_that_cannot_be_guessed()
    {
        Assert.Equal("my secret", (await CreateAsync(new CredentialDraft("a", "my secret"))).Secret);
        var generated = (await CreateAsync(new CredentialDraft("b"))).Secret;
        Assert.Equal(64, generated.Length);
        Assert.NotEqual(generated, (await CreateAsync(new CredentialDraft("c"))).Secret);
    }

    [Fact]
    public async Task A_wrong_secret_another_users_name_and_an_unknown_id_are_refused_alike()
    {
        var made = await CreateAsync(new CredentialDraft("robot"));
        await AssertRefusedAsync(new CredentialReference(made.Credential.Id.Value, Name: null, User: null), "wrong");
        await AssertRefusedAsync(new CredentialReference(IdentityIds.New(), Name: null, User: null), made.Secret);
        await AssertRefusedAsync(new CredentialReference(Id: null, "robot", UserReference.ByName("admin")), made.Secret);
        await AssertRefusedAsync(new CredentialReference(Id: null, "robot", User: null), made.Secret);
    }

    [Fact]
    public async Task A_credential_has_no_more_roles_than_it_was_given()
    {
        var made = await CreateAsync(new CredentialDraft("robot", Roles: [new RoleReference(Id: null, RoleNames.Reader)]));
        Assert.Equal(["reader"], (await LogInAsync(made)).Caller.Roles);
    }

    [Fact]
    public async Task Nobody_gives_a_role_that_it_has_not() => await Assert.ThrowsAsync<ForbiddenException>(
        () => CreateAsync(new CredentialDraft("robot", Roles: [new RoleReference(Id: null, RoleNames.Admin)])));

    [Fact]
    public async Task A_role_that_the_user_loses_is_lost_to_its_programs()
    {
        var login = await LogInAsync(await CreateAsync(new CredentialDraft("robot")));
        await _house.Identity.UnassignAsync((await _house.AdminAsync(Stop)).Caller, _guest.Assignment, Stop);
        await Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ValidateAsync(login.Token, Stop));
    }

    [Fact]
    public async Task A_credential_and_its_logins_end_at_its_time()
    {
        var end = _house.Clock.GetUtcNow() + TimeSpan.FromHours(1);
        var made = await CreateAsync(new CredentialDraft("robot", ExpiresAt: end));
        var login = await LogInAsync(made);
        Assert.Equal(end, login.ExpiresAt);

        _house.Clock.Advance(TimeSpan.FromHours(1));
        await Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ValidateAsync(login.Token, Stop));
        await Assert.ThrowsAsync<UnauthenticatedException>(() => LogInAsync(made));
        await Assert.ThrowsAsync<InvalidFieldException>(() => CreateAsync(new CredentialDraft("late", ExpiresAt: end)));
    }

    [Fact]
    public async Task A_deleted_credential_ends_its_logins()
    {
        var made = await CreateAsync(new CredentialDraft("robot"));
        var login = await LogInAsync(made);
        await _house.Identity.DeleteCredentialAsync(_login, _guest.User.Id, made.Credential.Id, Stop);

        await Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ValidateAsync(login.Token, Stop));
        await Assert.ThrowsAsync<UnauthenticatedException>(() => LogInAsync(made));
    }

    [Fact]
    public async Task A_restricted_credential_makes_and_deletes_none_and_an_unrestricted_one_does()
    {
        var restricted = await CreateAsync(new CredentialDraft("robot"));
        var robot = await LogInAsync(restricted);
        await Assert.ThrowsAsync<ForbiddenException>(
            () => _house.Identity.CreateCredentialAsync(robot, _guest.User.Id, new CredentialDraft("child"), Stop));
        await Assert.ThrowsAsync<ForbiddenException>(
            () => _house.Identity.DeleteCredentialAsync(robot, _guest.User.Id, restricted.Credential.Id, Stop));

        var free = await LogInAsync(await CreateAsync(new CredentialDraft("free", Unrestricted: true)));
        await _house.Identity.CreateCredentialAsync(free, _guest.User.Id, new CredentialDraft("child"), Stop);
    }

    [Fact]
    public async Task A_login_by_credential_leads_to_no_other_project_or_scope()
    {
        var admin = await _house.AdminAsync(Stop);
        var elsewhere = await _house.Identity.CreateProjectAsync(admin.Caller, new ProjectDraft("elsewhere"), Stop);
        await _house.Identity.AssignAsync(
            admin.Caller, _guest.Assignment with { Target = AssignmentTarget.Project(elsewhere.Id) }, Stop);
        var robot = await LogInAsync(await CreateAsync(new CredentialDraft("robot", Roles: [new RoleReference(Id: null, RoleNames.Reader)])));

        var same = await _house.Logins.ByTokenAsync(robot.Token, IdentityHouse.ToProject("ann"), Stop);
        Assert.Equal(["reader"], same.Caller.Roles);
        Assert.NotNull(same.Credential);
        await Assert.ThrowsAsync<UnauthenticatedException>(
            () => _house.Logins.ByTokenAsync(robot.Token, IdentityHouse.ToProject("elsewhere"), Stop));
        await Assert.ThrowsAsync<UnauthenticatedException>(
            () => _house.Logins.ByTokenAsync(robot.Token, new ScopeRequest.Unscoped(), Stop));
    }

    [Fact]
    public async Task Nobody_makes_a_credential_for_another_user_not_even_an_administrator() =>
        await Assert.ThrowsAsync<ForbiddenException>(async () => await _house.Identity.CreateCredentialAsync(
            await _house.AdminAsync(Stop), _guest.User.Id, new CredentialDraft("robot"), Stop));

    [Fact]
    public async Task A_credential_is_found_under_its_own_user_alone()
    {
        var made = await CreateAsync(new CredentialDraft("robot"));
        var admin = await _house.AdminAsync(Stop);
        await Assert.ThrowsAsync<IdentityNotFoundException>(
            () => _house.Identity.GetCredentialAsync(admin, admin.User.Id, made.Credential.Id, Stop));
        Assert.Equal("robot", (await _house.Identity.GetCredentialAsync(admin, _guest.User.Id, made.Credential.Id, Stop)).Name);
    }

    private Task<CreatedCredential> CreateAsync(CredentialDraft draft) =>
        _house.Identity.CreateCredentialAsync(_login, _guest.User.Id, draft, Stop);

    private Task<Login> LogInAsync(CreatedCredential made) => _house.Logins.ByApplicationCredentialAsync(
        new CredentialReference(made.Credential.Id.Value, Name: null, User: null), made.Secret, Stop);

    private Task AssertRefusedAsync(CredentialReference credential, string secret) =>
        Assert.ThrowsAsync<UnauthenticatedException>(() => _house.Logins.ByApplicationCredentialAsync(credential, secret, Stop));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
