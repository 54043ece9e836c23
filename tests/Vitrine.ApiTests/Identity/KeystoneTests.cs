using System.Text.Json.Nodes;

namespace Vitrine.ApiTests.Identity;

/// <summary>Projects, users, roles and the rest of <c>/v3</c>, as the clients and tempest call it.</summary>
public sealed class KeystoneTests : IAsyncLifetime
{
    private KeystoneHost _host = null!;
    private KeystoneClient _admin = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await KeystoneHost.StartAsync(Stop);
        _admin = await _host.AdminAsync(Stop);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Versions_are_told_without_a_token()
    {
        foreach (var path in new[] { "/identity", "/identity/" })
        {
            var list = await _host.Client().GetAsync(path, Stop);
            Assert.Equal(300, list.Status);
            var version = list["versions.values"]!.AsArray().Single()!;
            Assert.Equal(("v3.14", "stable"), (version["id"]!.GetValue<string>(), version["status"]!.GetValue<string>()));
            Assert.Equal("http://localhost/identity/v3/", version["links"]![0]!["href"]!.GetValue<string>());
            Assert.Equal("application/json", version["media-types"]![0]!["base"]!.GetValue<string>());
        }

        foreach (var path in new[] { "/identity/v3", "/identity/v3/" })
        {
            var one = await _host.Client().GetAsync(path, Stop);
            Assert.Equal((200, "v3.14"), (one.Status, one.TextAt("version.id")));
        }
    }

    [Fact]
    public async Task The_round_that_tempest_makes_for_each_class_of_tests_works()
    {
        var domain = (await _admin.GetAsync("domains?name=Default", Stop))["domains"]![0]!["id"]!.GetValue<string>();
        var project = await CreateAsync("projects", "project", $$"""{"name":"t1","description":"d","domain_id":"{{domain}}"}""");
        var user = await CreateAsync("users", "user", $$"""{"name":"u1","password":"pass phrase","domain_id":"{{domain}}","email":"u1@example.org"}""");
        var roles = (await _admin.GetAsync("roles", Stop))["roles"]!.AsArray().ToDictionary(r => r!["name"]!.GetValue<string>(), r => r!["id"]!.GetValue<string>());
        var grant = $"projects/{project}/users/{user}/roles/{roles["member"]}";
        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Put, grant, Stop)).Status);
        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Put, grant, Stop)).Status);

        var member = await _host.LogInAsync("u1", "pass phrase", "t1", Stop);
        Assert.Equal(403, (await member.GetAsync("users", Stop)).Status);

        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, $"users/{user}", Stop)).Status);
        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, $"projects/{project}", Stop)).Status);
        Assert.Equal(401, (await member.GetAsync("auth/projects", Stop)).Status);
        Assert.Equal(404, (await _admin.GetAsync($"users/{user}", Stop)).Status);
    }

    [Fact]
    public async Task A_project_has_all_the_fields_that_clients_read()
    {
        var made = await _admin.PostAsync("projects", Json("""{"project":{"name":"p1","unknown":{"field":1}}}"""), Stop);
        Assert.Equal(201, made.Status);
        var id = made.TextAt("project.id");
        var expected = $$$"""
            {"id":"{{{id}}}","name":"p1","domain_id":"default","description":"","enabled":true,"parent_id":"default","is_domain":false,"tags":[],"options":{},"links":{"self":"http://localhost/identity/v3/projects/{{{id}}}"}}
            """;
        Assert.Equal(expected, made["project"]!.ToJsonString());
        Assert.Equal(expected, (await _admin.GetAsync($"projects/{id}", Stop))["project"]!.ToJsonString());

        var patched = await _admin.PatchAsync($"projects/{id}", Json("""{"project":{"name":"p2","enabled":false,"description":"text"}}"""), Stop);
        Assert.Equal((200, "p2", "text"), (patched.Status, patched.TextAt("project.name"), patched.TextAt("project.description")));
        Assert.False(patched["project.enabled"]!.GetValue<bool>());
        var cleared = await _admin.PatchAsync($"projects/{id}", Json("""{"project":{"description":null}}"""), Stop);
        Assert.Equal(("p2", ""), (cleared.TextAt("project.name"), cleared.TextAt("project.description")));
    }

    [Fact]
    public async Task A_name_is_looked_up_as_an_id_first_and_then_in_the_list()
    {
        await CreateAsync("projects", "project", """{"name":"p1"}""");
        var missing = await _admin.GetAsync("projects/p1", Stop);
        Assert.Equal((404, "Could not find project: p1."), (missing.Status, missing.TextAt("error.message")));

        var found = await _admin.GetAsync("projects?name=p1&domain_id=default", Stop);
        Assert.Equal(["p1"], found.Each("projects", "name"));
        Assert.Equal("http://localhost/identity/v3/projects?name=p1&domain_id=default", found.TextAt("links.self"));
        Assert.Empty((await _admin.GetAsync("projects?name=p1&domain_id=other", Stop))["projects"]!.AsArray());
        Assert.Empty((await _admin.GetAsync("projects?name=p1&enabled=false", Stop))["projects"]!.AsArray());
        Assert.Equal(404, (await _admin.GetAsync($"users/{new string('x', 300)}", Stop)).Status);
    }

    [Fact]
    public async Task A_second_one_of_the_same_name_is_a_conflict()
    {
        foreach (var (path, kind) in new[] { ("projects", "project"), ("users", "user"), ("roles", "role"), ("domains", "domain") })
        {
            await CreateAsync(path, kind, """{"name":"twin","password":"x"}""");
            var answer = await _admin.PostAsync(path, Wrap(kind, """{"name":"twin","password":"x"}"""), Stop);
            Assert.Equal((409, "Conflict"), (answer.Status, answer.TextAt("error.title")));
        }
    }

    [Fact]
    public async Task A_user_is_shown_without_its_password_and_changed_by_patch()
    {
        var made = await _admin.PostAsync("users", Json("""{"user":{"name":"ann","password":"hush hush"}}"""), Stop);
        var id = made.TextAt("user.id");
        Assert.Equal(
            $$$"""
            {"id":"{{{id}}}","name":"ann","domain_id":"default","enabled":true,"password_expires_at":null,"options":{},"links":{"self":"http://localhost/identity/v3/users/{{{id}}}"}}
            """,
            made["user"]!.ToJsonString());

        var patched = await _admin.PatchAsync($"users/{id}", Json("""{"user":{"email":"a@example.org","description":"text","password":"other"}}"""), Stop);
        Assert.Equal(("a@example.org", "text"), (patched.TextAt("user.email"), patched.TextAt("user.description")));
        Assert.DoesNotContain("other", patched.Text, StringComparison.Ordinal);
        await _host.LogInAsync("ann", "other", project: null, Stop);
        Assert.Equal(["admin", "ann"], (await _admin.GetAsync("users", Stop)).Each("users", "name"));
        Assert.Equal(["ann"], (await _admin.GetAsync("users?name=ann", Stop)).Each("users", "name"));
    }

    [Fact]
    public async Task A_user_changes_its_own_password_and_reads_itself()
    {
        var id = await CreateAsync("users", "user", """{"name":"ann","password":"first"}""");
        var ann = await _host.LogInAsync("ann", "first", project: null, Stop);
        Assert.Equal("ann", (await ann.GetAsync($"users/{id}", Stop)).TextAt("user.name"));

        var wrong = await ann.PostAsync($"users/{id}/password", Json("""{"user":{"original_password":"x","password":"second"}}"""), Stop);
        Assert.Equal(401, wrong.Status);
        var changed = await ann.PostAsync($"users/{id}/password", Json("""{"user":{"original_password":"first","password":"second"}}"""), Stop);
        Assert.Equal(204, changed.Status);
        Assert.Equal(401, (await ann.GetAsync($"users/{id}", Stop)).Status);
        Assert.NotNull((await _host.LogInAsync("ann", "second", project: null, Stop)).Token);
    }

    [Fact]
    public async Task Grants_on_each_kind_of_target_are_set_checked_listed_and_taken()
    {
        var user = await CreateAsync("users", "user", """{"name":"ann","password":"x"}""");
        var project = await CreateAsync("projects", "project", """{"name":"p1"}""");
        var role = (await _admin.GetAsync("roles?name=member", Stop))["roles"]![0]!["id"]!.GetValue<string>();

        foreach (var target in new[] { $"projects/{project}", "domains/default", "system" })
        {
            var grant = $"{target}/users/{user}/roles/{role}";
            Assert.Equal(404, (await _admin.SendAsync(HttpMethod.Head, grant, Stop)).Status);
            Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Put, grant, Stop)).Status);
            Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Head, grant, Stop)).Status);
            Assert.Equal(["member"], (await _admin.GetAsync($"{target}/users/{user}/roles", Stop)).Each("roles", "name"));
            Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, grant, Stop)).Status);
            Assert.Equal(404, (await _admin.SendAsync(HttpMethod.Delete, grant, Stop)).Status);
            Assert.Equal(404, (await _admin.SendAsync(HttpMethod.Put, $"{target}/users/nobody/roles/{role}", Stop)).Status);
            Assert.Equal(404, (await _admin.SendAsync(HttpMethod.Put, $"{target}/users/{user}/roles/nothing", Stop)).Status);
        }

        Assert.Equal(404, (await _admin.SendAsync(HttpMethod.Put, $"projects/nothing/users/{user}/roles/{role}", Stop)).Status);
    }

    [Fact]
    public async Task Assignments_are_listed_with_and_without_names()
    {
        var plain = await _admin.GetAsync("role_assignments", Stop);
        Assert.Equal(2, plain["role_assignments"]!.AsArray().Count);
        Assert.DoesNotContain("\"name\"", plain.Text, StringComparison.Ordinal);

        var named = await _admin.GetAsync("role_assignments?include_names=True", Stop);
        var inProject = named["role_assignments"]!.AsArray().Single(a => a!["scope"]!["project"] is not null)!;
        Assert.Equal("admin", inProject["role"]!["name"]!.GetValue<string>());
        Assert.Equal("Default", inProject["user"]!["domain"]!["name"]!.GetValue<string>());
        Assert.Equal("Default", inProject["scope"]!["project"]!["domain"]!["name"]!.GetValue<string>());

        var project = inProject["scope"]!["project"]!["id"]!.GetValue<string>();
        Assert.Single((await _admin.GetAsync($"role_assignments?scope.project.id={project}", Stop))["role_assignments"]!.AsArray());
        Assert.Single((await _admin.GetAsync("role_assignments?scope.system=all", Stop))["role_assignments"]!.AsArray());
        Assert.Equal(6, (await _admin.GetAsync("role_assignments?effective", Stop))["role_assignments"]!.AsArray().Count);
        Assert.Empty((await _admin.GetAsync("role_assignments?group.id=x", Stop))["role_assignments"]!.AsArray());
        Assert.Empty((await _admin.GetAsync("role_assignments?user.id=x", Stop))["role_assignments"]!.AsArray());
    }

    [Fact]
    public async Task A_domain_is_made_disabled_and_deleted()
    {
        var id = await CreateAsync("domains", "domain", """{"name":"partners","description":"text"}""");
        Assert.Equal("partners", (await _admin.GetAsync($"domains/{id}", Stop)).TextAt("domain.name"));
        Assert.Equal(403, (await _admin.SendAsync(HttpMethod.Delete, $"domains/{id}", Stop)).Status);
        Assert.Equal(200, (await _admin.PatchAsync($"domains/{id}", Json("""{"domain":{"enabled":false}}"""), Stop)).Status);
        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, $"domains/{id}", Stop)).Status);
        Assert.Equal(404, (await _admin.GetAsync($"domains/{id}", Stop)).Status);
        Assert.Equal(403, (await _admin.SendAsync(HttpMethod.Delete, "domains/default", Stop)).Status);
    }

    [Fact]
    public async Task A_role_is_made_renamed_and_deleted_but_not_a_built_in_one()
    {
        var id = await CreateAsync("roles", "role", """{"name":"auditor"}""");
        Assert.Equal("checker", (await _admin.PatchAsync($"roles/{id}", Json("""{"role":{"name":"checker"}}"""), Stop)).TextAt("role.name"));
        Assert.Equal("checker", (await _admin.GetAsync($"roles/{id}", Stop)).TextAt("role.name"));
        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, $"roles/{id}", Stop)).Status);

        var admin = (await _admin.GetAsync("roles?name=admin", Stop))["roles"]![0]!["id"]!.GetValue<string>();
        Assert.Equal(403, (await _admin.SendAsync(HttpMethod.Delete, $"roles/{admin}", Stop)).Status);
    }

    [Fact]
    public async Task An_application_credential_is_made_used_and_deleted()
    {
        var user = (await _admin.GetAsync("users?name=admin", Stop))["users"]![0]!["id"]!.GetValue<string>();
        var body = Json("""
            {"application_credential":{"name":"robot","roles":[{"name":"reader"}],"expires_at":"2026-03-01T13:00:00","unrestricted":false}}
            """);
        var made = await _admin.PostAsync($"users/{user}/application_credentials", body, Stop);
        Assert.Equal(201, made.Status);
        var (id, secret) = (made.TextAt("application_credential.id"), made.TextAt("application_credential.secret"));
        Assert.Equal("2026-03-01T13:00:00.000000Z", made.TextAt("application_credential.expires_at"));

        var listed = await _admin.GetAsync($"users/{user}/application_credentials?name=robot", Stop);
        Assert.Equal([id], listed.Each("application_credentials", "id"));
        Assert.DoesNotContain("secret", listed.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await _admin.GetAsync($"users/{user}/application_credentials/robot", Stop)).Status);

        JsonObject[] forms =
        [
            new() { ["id"] = id, ["secret"] = secret },
            new() { ["name"] = "robot", ["user"] = new JsonObject { ["id"] = user }, ["secret"] = secret },
            new()
            {
                ["name"] = "robot",
                ["user"] = new JsonObject { ["name"] = "admin", ["domain"] = new JsonObject { ["id"] = "default" } },
                ["secret"] = secret,
            },
        ];
        foreach (var form in forms)
        {
            var login = await _host.Client().PostAsync("auth/tokens", Tokens.ByCredential(form), Stop);
            Assert.Equal(201, login.Status);
            Assert.Equal("""["application_credential"]""", login["token.methods"]!.ToJsonString());
            Assert.Equal(["reader"], login.Each("token.roles", "name"));
            Assert.True(login["token.application_credential.restricted"]!.GetValue<bool>());
        }

        var scoped = Tokens.ByCredential(new JsonObject { ["id"] = id, ["secret"] = secret }, Tokens.ProjectNamed("admin"));
        Assert.Equal(401, (await _host.Client().PostAsync("auth/tokens", scoped, Stop)).Status);

        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, $"users/{user}/application_credentials/{id}", Stop)).Status);
        var gone = Tokens.ByCredential(new JsonObject { ["id"] = id, ["secret"] = secret });
        Assert.Equal(401, (await _host.Client().PostAsync("auth/tokens", gone, Stop)).Status);
    }

    [Fact]
    public async Task The_service_catalogue_can_be_read_piece_by_piece()
    {
        var image = (await _admin.GetAsync("services?type=image", Stop))["services"]!.AsArray().Single()!["id"]!.GetValue<string>();
        Assert.Equal("glance", (await _admin.GetAsync($"services/{image}", Stop)).TextAt("service.name"));
        Assert.Equal(404, (await _admin.GetAsync("services/image", Stop)).Status);

        var endpoint = (await _admin.GetAsync($"endpoints?service_id={image}&interface=public", Stop))["endpoints"]!.AsArray().Single()!;
        Assert.Equal("http://localhost/image", endpoint["url"]!.GetValue<string>());
        var shown = await _admin.GetAsync($"endpoints/{endpoint["id"]!.GetValue<string>()}", Stop);
        Assert.Equal("RegionOne", shown.TextAt("endpoint.region_id"));
        Assert.Equal(6, (await _admin.GetAsync("endpoints", Stop))["endpoints"]!.AsArray().Count);

        Assert.Equal(["RegionOne"], (await _admin.GetAsync("regions", Stop)).Each("regions", "id"));
        Assert.Equal("RegionOne", (await _admin.GetAsync("regions/RegionOne", Stop)).TextAt("region.id"));
        Assert.Equal(404, (await _admin.GetAsync("regions/RegionTwo", Stop)).Status);
        Assert.Empty((await _admin.GetAsync("groups", Stop))["groups"]!.AsArray());
    }

    [Theory]
    [InlineData("GET", "auth/projects")]
    [InlineData("GET", "users")]
    [InlineData("POST", "projects")]
    [InlineData("PUT", "projects/a/users/b/roles/c")]
    [InlineData("GET", "regions")]
    public async Task Nothing_but_versions_and_logins_is_answered_to_strangers(string method, string path)
    {
        foreach (var token in new[] { null, "made-up" })
        {
            var answer = await _host.Client(token).SendAsync(new HttpMethod(method), path, Stop);
            Assert.Equal((401, "Unauthorized"), (answer.Status, answer.TextAt("error.title")));
            Assert.Contains("WWW-Authenticate", answer.Headers.Keys);
        }
    }

    [Fact]
    public async Task What_is_not_served_is_answered_in_the_same_form()
    {
        var unknown = await _admin.GetAsync("no/such/thing", Stop);
        Assert.Equal((404, 404), (unknown.Status, unknown["error.code"]!.GetValue<int>()));

        var method = await _admin.SendAsync(HttpMethod.Delete, "roles", Stop);
        Assert.Equal((405, "GET, HEAD, POST"), (method.Status, method.Headers["Allow"]));
    }

    [Theory]
    [InlineData("projects", """{"project":{"name":7}}""")]
    [InlineData("projects", """{"project":{}}""")]
    [InlineData("projects", """{"project":{"name":""}}""")]
    [InlineData("projects", """{"project":{"name":"a","enabled":"yes"}}""")]
    [InlineData("projects", """{"project":{"name":"a","parent_id":"b","domain_id":"default"}}""")]
    [InlineData("projects", """{"project":{"name":"a","is_domain":true}}""")]
    [InlineData("projects", """{"user":{"name":"a"}}""")]
    [InlineData("users", """{"user":{"name":"a","password":["b"]}}""")]
    [InlineData("users", """{"user":{"name":"a","password":""}}""")]
    [InlineData("roles", """{"role":{"name":"a","domain_id":"default"}}""")]
    [InlineData("domains", """{"domain":"a"}""")]
    public async Task Values_of_the_wrong_kind_are_bad_requests(string path, string body)
    {
        var answer = await _admin.PostAsync(path, Json(body), Stop);
        Assert.Equal((400, "Bad Request"), (answer.Status, answer.TextAt("error.title")));
    }

    private async Task<string> CreateAsync(string path, string kind, string fields)
    {
        var answer = await _admin.PostAsync(path, Wrap(kind, fields), Stop);
        Assert.Equal(201, answer.Status);
        return answer.TextAt($"{kind}.id");
    }

    private static JsonObject Wrap(string kind, string fields) => new() { [kind] = Json(fields) };

    private static JsonNode Json(string text) => JsonNode.Parse(text)!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
