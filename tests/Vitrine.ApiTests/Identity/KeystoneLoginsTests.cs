using System.Text;
using Vitrine.Access;
using Vitrine.OpenStack.Identity.External;
using Vitrine.Server.Rest;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Identity;

/// <summary>What becomes of what a Keystone says, and of what none should.</summary>
public sealed class KeystoneLoginsTests : IAsyncDisposable
{
    private const string Path = "/v3/auth/tokens";

    private readonly ScriptedHttpServer _keystone = ScriptedHttpServer.Start();
    private readonly ManualClock _clock = new(TimeProvider.System.GetUtcNow());

    public ValueTask DisposeAsync() => _keystone.DisposeAsync();

    [Theory]
    [InlineData("admin", true, false)]
    [InlineData("member", false, true)]
    [InlineData("reader", false, false)]
    [InlineData("auditor", false, false)]
    public async Task The_usual_roles_are_what_their_names_say(string role, bool isAdmin, bool isMember)
    {
        Tell(role);
        using var logins = Logins();
        var login = await logins.ValidateAsync("token", Stop);
        Assert.Equal((isAdmin, isAdmin || isMember), (login.Caller.IsAdmin, login.Caller.IsMember));
        Assert.Equal(("u1", "p1", "d1"), (login.Caller.User.Value, login.Caller.Project?.Value, login.Caller.Domain));
    }

    [Fact]
    public async Task Roles_of_other_names_are_what_the_operator_says()
    {
        Tell("cloud_owner", "admin");
        using var logins = Logins(o => o.AdminRoles.Add("image_admin"), o => o.MemberRoles.Add("cloud_owner"));
        var caller = (await logins.ValidateAsync("token", Stop)).Caller;
        Assert.Equal((false, true), (caller.IsAdmin, caller.IsMember));
    }

    [Fact]
    public async Task What_was_said_of_a_token_is_remembered_for_a_while_and_not_beyond_its_end()
    {
        Tell("member");
        using var logins = Logins();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => logins.ValidateAsync("token", Stop)));
        Assert.InRange(_keystone.Requests.Count, 1, 2);
        _clock.Advance(TimeSpan.FromHours(2));
        await Assert.ThrowsAsync<UnauthenticatedException>(() => logins.ValidateAsync("token", Stop));
    }

    [Fact]
    public async Task Nothing_is_remembered_where_the_operator_wants_it_so()
    {
        Tell("member");
        using var logins = Logins(o => o.Remember = TimeSpan.Zero);
        await logins.ValidateAsync("token", Stop);
        await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
        _keystone.Serve(Path, ScriptedContent.Of([])).Status = 404;
        await Assert.ThrowsAsync<UnauthenticatedException>(() => logins.ValidateAsync("token", Stop));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    public async Task A_token_that_does_not_hold_is_not_asked_for_again_at_once(int status)
    {
        _keystone.Serve(Path, ScriptedContent.Of([])).Status = status;
        using var logins = Logins();
        for (var i = 0; i < 3; i++)
            await Assert.ThrowsAsync<UnauthenticatedException>(() => logins.ValidateAsync("token", Stop));
        Assert.Single(_keystone.Requests);
    }

    [Theory]
    [InlineData(500, "")]
    [InlineData(302, "")]
    [InlineData(200, "<html>")]
    [InlineData(200, """{"token": {}}""")]
    public async Task An_answer_that_says_nothing_lets_nobody_in_and_is_asked_for_again(int status, string body)
    {
        _keystone.Serve(Path, Text(body)).Status = status;
        using var logins = Logins();
        await Assert.ThrowsAsync<IdentityUnavailableException>(() => logins.ValidateAsync("token", Stop));
        Tell("member");
        await logins.ValidateAsync("token", Stop);
    }

    [Fact]
    public async Task A_Keystone_that_is_away_is_no_refusal()
    {
        var gone = ScriptedHttpServer.Start();
        await gone.DisposeAsync();
        using var logins = Logins(o => o.Url = $"http://127.0.0.1:{gone.Port}/v3");
        Assert.Equal("identity-unavailable", (await Assert.ThrowsAsync<IdentityUnavailableException>(() => logins.ValidateAsync("token", Stop))).Code);
    }

    [Theory]
    [InlineData("admin", true)]
    [InlineData("member", false)]
    public async Task Who_listens_hears_on_while_his_rights_are_the_same(string later, bool hearsOn)
    {
        Tell("admin");
        using var logins = Logins(o => o.Remember = TimeSpan.Zero);
        var listening = new ListeningLogin(await logins.ValidateAsync("token", Stop), logins, _clock);
        Tell(later);
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.True(await listening.HoldsAsync(Stop));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(hearsOn, await listening.HoldsAsync(Stop));
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.False(await listening.HoldsAsync(Stop));
    }

    [Fact]
    public async Task Nobody_hears_on_whom_Keystone_no_longer_knows_or_cannot_be_asked_for()
    {
        foreach (var status in new[] { 404, 500 })
        {
            Tell("member");
            using var logins = Logins(o => o.Remember = TimeSpan.Zero);
            var listening = new ListeningLogin(await logins.ValidateAsync("token", Stop), logins, _clock);
            _keystone.Serve(Path, ScriptedContent.Of([])).Status = status;
            _clock.Advance(TimeSpan.FromMinutes(1));
            Assert.False(await listening.HoldsAsync(Stop));
        }
    }

    [Theory]
    [InlineData("keystone.example.org", "URL")]
    [InlineData("https://keystone.example.org:5000", "/v3")]
    [InlineData("https://user:secret@keystone.example.org/v3", "URL")]
    public void An_address_that_cannot_be_one_is_said_at_the_start(string url, string reason) =>
        Assert.Contains(reason, Assert.Single(new ExternalKeystoneOptions { Url = url }.Faults()));

    private void Tell(params string[] roles) => _keystone.Serve(Path, Text($$"""
        {"token": {"methods": ["password"], "audit_ids": ["a"], "is_domain": false, "future": {"x": 1},
          "issued_at": "{{_clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.ffffff}}Z", "expires_at": "{{_clock.GetUtcNow().AddHours(1):yyyy-MM-ddTHH:mm:ss.ffffff}}Z",
          "user": {"id": "u1", "name": "somebody", "domain": {"id": "d0", "name": "Users" }, "password_expires_at": null },
          "project": {"id": "p1", "name": "tenant", "domain": {"id": "d1", "name": "Projects" } },
          "roles": [{{string.Join(", ", roles.Select(r => $$"""{"id": "id of {{r}}", "name": "{{r}}"}"""))}}] } }
        """)).ContentType = "application/json";

    private KeystoneLogins Logins(params Action<ExternalKeystoneOptions>[] changes)
    {
        var options = new ExternalKeystoneOptions { Url = $"http://127.0.0.1:{_keystone.Port}/v3" };
        foreach (var change in changes)
            change(options);
        return new KeystoneLogins(new ExternalKeystone(options), options, _clock);
    }

    private static ScriptedContent Text(string text) => ScriptedContent.Of(Encoding.UTF8.GetBytes(text));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
