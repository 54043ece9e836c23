using Vitrine.Access;
using Vitrine.Testing;

namespace Vitrine.UnitTests.Access;

public sealed class BootstrapTests : IAsyncLifetime
{
    private IdentityHouse _house = null!;

    public async ValueTask InitializeAsync() => _house = await IdentityHouse.StartAsync(Stop, bootstrapped: false);

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task The_first_start_makes_somebody_who_can_log_in_and_tells_the_password_once()
    {
        var first = await _house.Bootstrap.RunAsync(adminPassword: null, Stop);
        Assert.Equal(24, first.GeneratedPassword!.Length);
        Assert.DoesNotContain(first.GeneratedPassword, $"{first}", StringComparison.Ordinal);

        var second = await _house.Bootstrap.RunAsync(adminPassword: null, Stop);
        Assert.Equal(first with { GeneratedPassword = null }, second);

        var login = await _house.LogInAsync("admin", first.GeneratedPassword, IdentityHouse.ToProject("admin"), Stop);
        Assert.True(login.Caller.IsAdmin);
        await _house.LogInAsync("admin", first.GeneratedPassword, new ScopeRequest.ToSystem(), Stop);
    }

    [Fact]
    public async Task A_given_password_is_not_told_and_does_not_change_that_of_a_user_that_exists()
    {
        Assert.Null((await _house.Bootstrap.RunAsync("first", Stop)).GeneratedPassword);
        await _house.Bootstrap.RunAsync("second", Stop);

        await _house.LogInAsync("admin", "first", new ScopeRequest.Unscoped(), Stop);
        await Assert.ThrowsAsync<UnauthenticatedException>(
            () => _house.LogInAsync("admin", "second", new ScopeRequest.Unscoped(), Stop));
    }

    [Fact]
    public async Task Two_nodes_that_start_at_once_make_one_of_each()
    {
        var outcomes = await Task.WhenAll(
            Task.Run(() => _house.Bootstrap.RunAsync(adminPassword: null, Stop), Stop),
            Task.Run(() => _house.Bootstrap.RunAsync(adminPassword: null, Stop), Stop));

        Assert.Single(outcomes, o => o.GeneratedPassword is not null);
        Assert.Single(outcomes.Select(o => (o.Admin, o.AdminProject)).Distinct());
        Assert.Equal(["admin", "member", "reader"], (await _house.Catalogue.ListRolesAsync(name: null, Stop)).Select(r => r.Name));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
