using System.Text.Json.Nodes;

namespace Vitrine.ApiTests.Identity;

/// <summary>Unified limits, as the clients of Keystone set and read them.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private KeystoneHost _host = null!;
    private KeystoneClient _admin = null!;
    private string _service = "";

    public async ValueTask InitializeAsync()
    {
        _host = await KeystoneHost.StartAsync(Stop);
        _admin = await _host.AdminAsync(Stop);
        _service = (await _admin.GetAsync("services?type=image", Stop)).Each("services", "id").Single();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_registered_limit_lives_its_life()
    {
        var created = await RegisterAsync("image_count_total", 10);
        Assert.Equal(201, created.Status);
        var limit = created["registered_limits"]![0]!.AsObject();
        Assert.Equal(
            ["id", "service_id", "region_id", "resource_name", "default_limit", "description", "links"], limit.Select(f => f.Key));
        var id = limit["id"]!.GetValue<string>();
        Assert.Equal(409, (await RegisterAsync("image_count_total", 11)).Status);

        Assert.Equal(10, (await _admin.GetAsync($"registered_limits/{id}", Stop))["registered_limit.default_limit"]!.GetValue<int>());
        var patched = await _admin.PatchAsync(
            $"registered_limits/{id}", JsonNode.Parse("""{"registered_limit":{"default_limit":-1,"description":"all"}}""")!, Stop);
        Assert.Equal((200, -1, "all"), (patched.Status, patched["registered_limit.default_limit"]!.GetValue<int>(), patched.TextAt("registered_limit.description")));
        Assert.Equal([id], (await _admin.GetAsync($"registered_limits?service_id={_service}&resource_name=image_count_total", Stop)).Each("registered_limits", "id"));
        Assert.Empty((await _admin.GetAsync("registered_limits?resource_name=image_size_total", Stop)).Each("registered_limits", "id"));
        Assert.Equal(404, (await _admin.GetAsync($"limits/{id}", Stop)).Status);

        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, $"registered_limits/{id}", Stop)).Status);
        Assert.Equal(404, (await _admin.GetAsync($"registered_limits/{id}", Stop)).Status);
    }

    [Fact]
    public async Task A_limit_of_a_project_lives_its_life()
    {
        var project = await ProjectAsync("limited");
        var created = await LimitAsync(project, "image_size_total", 5);
        Assert.Equal(201, created.Status);
        var limit = created["limits"]![0]!;
        Assert.Equal((project, _service, 5), (limit["project_id"]!.GetValue<string>(), limit["service_id"]!.GetValue<string>(), limit["resource_limit"]!.GetValue<int>()));
        var id = limit["id"]!.GetValue<string>();
        Assert.Equal(409, (await LimitAsync(project, "image_size_total", 6)).Status);

        var patched = await _admin.PatchAsync($"limits/{id}", JsonNode.Parse("""{"limit":{"resource_limit":7}}""")!, Stop);
        Assert.Equal((200, 7), (patched.Status, patched["limit.resource_limit"]!.GetValue<int>()));
        Assert.Equal([id], (await _admin.GetAsync($"limits?project_id={project}", Stop)).Each("limits", "id"));
        Assert.Empty((await _admin.GetAsync("limits?project_id=other", Stop)).Each("limits", "id"));
        Assert.Equal("flat", (await _admin.GetAsync("limits/model", Stop)).TextAt("model.name"));

        Assert.Equal(204, (await _admin.SendAsync(HttpMethod.Delete, $"limits/{id}", Stop)).Status);
        Assert.Empty((await _admin.GetAsync("limits", Stop)).Each("limits", "id"));
    }

    [Fact]
    public async Task Users_see_their_own_project_s_limits_and_set_none()
    {
        var (own, other) = (await ProjectAsync("own"), await ProjectAsync("other"));
        await _admin.PostAsync("users", JsonNode.Parse("""{"user":{"name":"ann","password":"pass phrase"}}""")!, Stop);
        var ann = (await _admin.GetAsync("users?name=ann", Stop)).Each("users", "id").Single();
        var member = (await _admin.GetAsync("roles?name=member", Stop)).Each("roles", "id").Single();
        await _admin.SendAsync(HttpMethod.Put, $"projects/{own}/users/{ann}/roles/{member}", Stop);
        await LimitAsync(other, "image_count_total", 1);
        await LimitAsync(own, "image_count_total", 2);
        await RegisterAsync("image_count_total", 3);
        var user = await _host.LogInAsync("ann", "pass phrase", "own", Stop);

        Assert.Equal([own], (await user.GetAsync("limits", Stop)).Each("limits", "project_id"));
        var registered = (await user.GetAsync("registered_limits", Stop)).Each("registered_limits", "id").Single();
        Assert.Equal(403, (await user.SendAsync(HttpMethod.Delete, $"registered_limits/{registered}", Stop)).Status);
        Assert.Equal(403, (await user.PostAsync("limits", new JsonObject(), Stop)).Status);
        Assert.Equal(403, (await user.PatchAsync(
            $"registered_limits/{registered}", JsonNode.Parse("""{"registered_limit":{"default_limit":9}}""")!, Stop)).Status);
    }

    [Theory]
    [InlineData("""{"limits":[]}""")]
    [InlineData("""{"limits":{}}""")]
    [InlineData("""{"limits":[{"project_id":"PROJECT","service_id":"SERVICE","resource_name":"cores","resource_limit":1}]}""")]
    [InlineData("""{"limits":[{"project_id":"PROJECT","service_id":"other","resource_name":"image_count_total","resource_limit":1}]}""")]
    [InlineData("""{"limits":[{"project_id":"PROJECT","service_id":"SERVICE","region_id":"Mars","resource_name":"image_count_total","resource_limit":1}]}""")]
    [InlineData("""{"limits":[{"domain_id":"default","service_id":"SERVICE","resource_name":"image_count_total","resource_limit":1}]}""")]
    [InlineData("""{"limits":[{"project_id":"PROJECT","service_id":"SERVICE","resource_name":"image_count_total","resource_limit":-2}]}""")]
    [InlineData("""{"limits":[{"project_id":"PROJECT","service_id":"SERVICE","resource_name":"image_count_total","resource_limit":2147483648}]}""")]
    [InlineData("""{"limits":[{"project_id":"PROJECT","service_id":"SERVICE","resource_name":"image_count_total","resource_limit":1.5}]}""")]
    [InlineData("""{"limits":[{"project_id":"PROJECT","service_id":"SERVICE","resource_name":"image_count_total","resource_limit":"1"}]}""")]
    public async Task A_limit_that_nothing_would_be_held_against_is_refused(string body)
    {
        var project = await ProjectAsync("p");
        var filled = body.Replace("PROJECT", project, StringComparison.Ordinal).Replace("SERVICE", _service, StringComparison.Ordinal);
        Assert.Equal(400, (await _admin.PostAsync("limits", JsonNode.Parse(filled)!, Stop)).Status);
        Assert.Empty((await _admin.GetAsync("limits", Stop)).Each("limits", "id"));
    }

    private Task<Answer> RegisterAsync(string name, int limit) => _admin.PostAsync(
        "registered_limits",
        JsonNode.Parse($$"""{"registered_limits":[{"service_id":"{{_service}}","resource_name":"{{name}}","default_limit":{{limit}}}]}""")!, Stop);

    private Task<Answer> LimitAsync(string project, string name, int limit) => _admin.PostAsync(
        "limits",
        JsonNode.Parse($$"""{"limits":[{"project_id":"{{project}}","service_id":"{{_service}}","resource_name":"{{name}}","resource_limit":{{limit}}}]}""")!, Stop);

    private async Task<string> ProjectAsync(string name) =>
        (await _admin.PostAsync("projects", JsonNode.Parse($$$"""{"project":{"name":"{{{name}}}"}}""")!, Stop)).TextAt("project.id");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
