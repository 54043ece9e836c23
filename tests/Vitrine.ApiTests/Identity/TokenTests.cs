using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vitrine.Testing;

namespace Vitrine.ApiTests.Identity;

/// <summary><c>/v3/auth</c>: logging in, looking at tokens, logging out.</summary>
public sealed partial class TokenTests : IAsyncLifetime
{
    private KeystoneHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await KeystoneHost.StartAsync(Stop);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_token_tells_all_that_clients_read_of_it()
    {
        var answer = await _host.Client().PostAsync("auth/tokens", Tokens.ByName("admin", IdentityHouse.AdminPassword, "admin"), Stop);

        Assert.Equal(201, answer.Status);
        Assert.NotEmpty(answer.SubjectToken!);
        Assert.Equal("X-Auth-Token", answer.Headers["Vary"]);
        Assert.Matches(RequestId(), answer.Headers["x-openstack-request-id"]);
        Assert.Equal("""["password"]""", answer["token.methods"]!.ToJsonString());
        Assert.Equal("admin", answer.TextAt("token.user.name"));
        Assert.Equal("""{"id":"default","name":"Default"}""", answer["token.user.domain"]!.ToJsonString());
        Assert.True(answer["token.user"]!.AsObject().ContainsKey("password_expires_at"));
        Assert.Matches(Hex32(), answer.TextAt("token.user.id"));
        Assert.Matches(Hex32(), answer.TextAt("token.project.id"));
        Assert.Equal("Default", answer.TextAt("token.project.domain.name"));
        Assert.False(answer["token.is_domain"]!.GetValue<bool>());
        Assert.Equal(["admin", "member", "reader"], answer.Each("token.roles", "name").Order());
        Assert.Equal("2026-03-01T12:00:00.000000Z", answer.TextAt("token.issued_at"));
        Assert.Equal("2026-03-02T00:00:00.000000Z", answer.TextAt("token.expires_at"));
        Assert.Single(answer["token.audit_ids"]!.AsArray());
        Assert.False(answer["token"]!.AsObject().ContainsKey("system"));
        Assert.False(answer["token"]!.AsObject().ContainsKey("domain"));
    }

    [Fact]
    public async Task The_catalogue_names_both_services_for_each_interface_as_seen_by_the_client()
    {
        var answer = await _host.Client().PostAsync("auth/tokens", Tokens.ByName("admin", IdentityHouse.AdminPassword, "admin"), Stop);
        var urls = answer["token.catalog"]!.AsArray().ToDictionary(
            service => service!["type"]!.GetValue<string>(),
            service => service!["endpoints"]!.AsArray().ToDictionary(
                endpoint => endpoint!["interface"]!.GetValue<string>(), endpoint => endpoint!["url"]!.GetValue<string>()));

        Assert.Equal(["admin", "internal", "public"], urls["image"].Keys.Order());
        Assert.All(urls["image"].Values, url => Assert.Equal("http://localhost/image", url));
        Assert.All(urls["identity"].Values, url => Assert.Equal("http://localhost/identity/v3", url));
        Assert.Equal("RegionOne", answer["token.catalog"]![0]!["endpoints"]![0]!["region"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_configured_address_stands_in_all_links()
    {
        await using var host = await KeystoneHost.StartAsync(Stop, "https://images.example.org/");
        var answer = await host.Client().PostAsync("auth/tokens", Tokens.ByName("admin", IdentityHouse.AdminPassword, "admin"), Stop);
        Assert.Equal("https://images.example.org/image", answer["token.catalog"]![1]!["endpoints"]![0]!["url"]!.GetValue<string>());
        Assert.Contains("https://images.example.org/identity/v3/", (await host.Client().GetAsync("/identity", Stop)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_catalogue_can_be_left_out()
    {
        var body = Tokens.ByName("admin", IdentityHouse.AdminPassword, "admin");
        var answer = await _host.Client().PostAsync("auth/tokens?nocatalog", body, Stop);
        Assert.Equal(201, answer.Status);
        Assert.Null(answer["token.catalog"]);
    }

    [Fact]
    public async Task Every_form_of_scope_is_understood()
    {
        var user = (await (await _host.AdminAsync(Stop)).GetAsync("users?name=admin", Stop))["users"]![0]!["id"]!.GetValue<string>();
        var project = (await (await _host.AdminAsync(Stop)).GetAsync("projects?name=admin", Stop))["projects"]![0]!["id"]!.GetValue<string>();

        Assert.Equal(project, (await ScopedAsync($$$"""{"project":{"id":"{{{project}}}","domain":{"id":"default"} } }""")).TextAt("token.project.id"));
        Assert.Equal(project, (await ScopedAsync("""{"project":{"name":"admin","domain":{"id":"default"}}}""")).TextAt("token.project.id"));
        Assert.True((await ScopedAsync("""{"system":{"all":true}}"""))["token.system.all"]!.GetValue<bool>());
        foreach (var unscoped in new[] { "\"unscoped\"", """{"unscoped":{}}""", "null" })
        {
            var answer = await ScopedAsync(unscoped);
            Assert.Null(answer["token.project"]);
            Assert.Null(answer["token.roles"]);
            Assert.Null(answer["token.catalog"]);
        }

        var refused = await PostScopeAsync("""{"domain":{"id":"default"}}""");
        Assert.Equal(401, refused.Status);

        async Task<Answer> ScopedAsync(string scope)
        {
            var answer = await PostScopeAsync(scope);
            Assert.Equal(201, answer.Status);
            return answer;
        }

        Task<Answer> PostScopeAsync(string scope) =>
            _host.Client().PostAsync("auth/tokens", Tokens.ById(user, IdentityHouse.AdminPassword, JsonNode.Parse(scope)), Stop);
    }

    [Fact]
    public async Task A_token_is_good_for_another_scope()
    {
        var first = await _host.LogInAsync("admin", IdentityHouse.AdminPassword, project: null, Stop);
        var answer = await _host.Client().PostAsync("auth/tokens", Tokens.ByToken(first.Token!, Tokens.ProjectNamed("admin")), Stop);

        Assert.Equal(201, answer.Status);
        Assert.Equal("""["token","password"]""", answer["token.methods"]!.ToJsonString());
        Assert.Equal(2, answer["token.audit_ids"]!.AsArray().Count);
        Assert.Equal("admin", answer.TextAt("token.project.name"));
    }

    [Theory]
    [InlineData("admin", "wrong", "admin")]
    [InlineData("nobody", IdentityHouse.AdminPassword, "admin")]
    [InlineData("admin", IdentityHouse.AdminPassword, "nothing")]
    public async Task Whatever_was_wrong_the_answer_is_the_same(string user, string password, string project)
    {
        var answer = await _host.Client().PostAsync("auth/tokens", Tokens.ByName(user, password, project), Stop);

        Assert.Equal(401, answer.Status);
        Assert.Equal(
            """{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}""", answer.Text);
        Assert.Equal("Keystone uri=\"http://localhost/identity/v3\"", answer.Headers["WWW-Authenticate"]);
        Assert.Equal("X-Auth-Token", answer.Headers["Vary"]);
        Assert.Contains("x-openstack-request-id", answer.Headers.Keys);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"auth":[]}""")]
    [InlineData("""{"auth":{"identity":{"methods":"password"}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":[]}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":[1]}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["password","token"]}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["password"]}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","password":"x"}}}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":7,"password":"x"}}}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"\ud800","password":"x"}}}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"a","password":null}}}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["token"],"token":{"id":"x"}},"scope":{}}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["token"],"token":{"id":"x"}},"scope":"everything"}}""")]
    [InlineData("""{"auth":{"identity":{"methods":["token"],"token":{"id":"x"}},"scope":{"project":{"id":"a"},"system":{"all":true}}}}""")]
    [InlineData("""{"\ud800":1,"a\u0075th":{"\udc00":{}}}""")]
    [InlineData("""{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}}}}}}}}""")]
    public async Task A_body_that_is_no_login_is_a_bad_request(string body)
    {
        var answer = await _host.Client().SendAsync(HttpMethod.Post, "auth/tokens", new StringContent(body), Stop);
        Assert.Equal(400, answer.Status);
        Assert.Equal("Bad Request", answer.TextAt("error.title"));
        Assert.Equal(400, answer["error.code"]!.GetValue<int>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_beyond_the_limit_is_refused_with_or_without_its_length_said(bool lengthSaid)
    {
        var bytes = new byte[64 * 1024 + 1];
        Array.Fill(bytes, (byte)' ');
        HttpContent content = lengthSaid ? new ByteArrayContent(bytes) : new StreamContent(new UnknownLength(bytes));
        var answer = await _host.Client().SendAsync(HttpMethod.Post, "auth/tokens", content, Stop);
        Assert.Equal((413, 413), (answer.Status, answer["error.code"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_method_that_there_is_not_lets_nobody_in()
    {
        var body = JsonNode.Parse("""{"auth":{"identity":{"methods":["totp"],"totp":{}}}}""")!;
        Assert.Equal(401, (await _host.Client().PostAsync("auth/tokens", body, Stop)).Status);
    }

    [Fact]
    public async Task A_token_can_be_looked_at_and_revoked()
    {
        var admin = await _host.AdminAsync(Stop);
        var other = await _host.AdminAsync(Stop);

        var shown = await admin.SendAsync(HttpMethod.Get, "auth/tokens", Stop, other.Token);
        Assert.Equal((200, "admin"), (shown.Status, shown.TextAt("token.user.name")));
        Assert.Equal(other.Token, shown.SubjectToken);
        Assert.Equal(200, (await admin.SendAsync(HttpMethod.Head, "auth/tokens", Stop, other.Token)).Status);

        var revoked = await admin.SendAsync(HttpMethod.Delete, "auth/tokens", Stop, other.Token);
        Assert.Equal((204, ""), (revoked.Status, revoked.Text));
        Assert.Equal(404, (await admin.SendAsync(HttpMethod.Get, "auth/tokens", Stop, other.Token)).Status);
        Assert.Equal(404, (await admin.SendAsync(HttpMethod.Delete, "auth/tokens", Stop, other.Token)).Status);
        Assert.Equal(401, (await other.GetAsync("auth/catalog", Stop)).Status);
        Assert.Equal(400, (await admin.SendAsync(HttpMethod.Get, "auth/tokens", Stop)).Status);
    }

    [Fact]
    public async Task A_user_cannot_look_at_or_revoke_the_administrators_token()
    {
        var admin = await _host.AdminAsync(Stop);
        await admin.PostAsync("users", JsonNode.Parse("""{"user":{"name":"ann","password":"pass phrase"}}""")!, Stop);
        var ann = await _host.LogInAsync("ann", "pass phrase", project: null, Stop);

        var answer = await ann.SendAsync(HttpMethod.Delete, "auth/tokens", Stop, admin.Token);
        Assert.Equal(403, answer.Status);
        Assert.Equal("You are not authorized to perform the requested action: identity:validate_token.", answer.TextAt("error.message"));
        Assert.Equal(204, (await ann.SendAsync(HttpMethod.Delete, "auth/tokens", Stop, ann.Token)).Status);
    }

    [Fact]
    public async Task What_a_user_can_log_in_to_is_listed()
    {
        var admin = await _host.AdminAsync(Stop);
        Assert.Equal(["admin"], (await admin.GetAsync("auth/projects", Stop)).Each("projects", "name"));
        Assert.Empty((await admin.GetAsync("auth/domains", Stop))["domains"]!.AsArray());
        Assert.Equal("""[{"all":true}]""", (await admin.GetAsync("auth/system", Stop))["system"]!.ToJsonString());
        Assert.Equal(["identity", "image"], (await admin.GetAsync("auth/catalog", Stop)).Each("catalog", "type"));
    }

    [Fact]
    public async Task A_face_knows_the_caller_by_either_header()
    {
        var admin = await _host.AdminAsync(Stop);
        var id = (await admin.GetAsync("users?name=admin", Stop))["users"]![0]!["id"]!.GetValue<string>();
        Assert.Equal(id, (await admin.GetAsync("/whoami", Stop)).Text);

        using var bearer = new HttpRequestMessage(HttpMethod.Get, "/whoami");
        bearer.Headers.Authorization = new("Bearer", admin.Token);
        Assert.Equal(id, await _host.SendRawAsync(bearer, Stop));
    }

    [GeneratedRegex("^[0-9a-f]{32}$", RegexOptions.NonBacktracking)]
    private static partial Regex Hex32();

    [GeneratedRegex("^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", RegexOptions.NonBacktracking)]
    private static partial Regex RequestId();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Goes out in chunks, as nobody can tell its length beforehand.</summary>
    private sealed class UnknownLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
