using System.Security.Cryptography;
using System.Text.Json;
using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>Debian's unmodified command line of OpenStack against the real server.</summary>
public sealed class OpenStackClientTests : IAsyncLifetime
{
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [FactWithTool("openstack")]
    public async Task An_image_lives_its_life_by_the_stock_client()
    {
        var file = Path.Combine(_server.Data, "disk.qcow2");
        (await Command.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", file, "1G"])).Succeeded();

        await RunAsync(
            "image", "create", "--disk-format", "qcow2", "--container-format", "bare", "--file", file, "--property", "os_distro=debian", "--tag", "first", "My disk");
        var created = await JsonAsync("image", "show", "My disk");
        Assert.Equal("active", created.GetProperty("status").GetString());
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(await File.ReadAllBytesAsync(file, Stop))), created.GetProperty("checksum").GetString());

        var listed = await JsonAsync("image", "list");
        Assert.Equal("My disk", Assert.Single(listed.EnumerateArray()).GetProperty("Name").GetString());

        await RunAsync("image", "set", "--name", "Renamed", "--property", "hw_disk_bus=virtio", "--tag", "second", "My disk");
        var shown = await JsonAsync("image", "show", "Renamed");
        Assert.Equal(["first", "second"], shown.GetProperty("tags").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal("virtio", shown.GetProperty("properties").GetProperty("hw_disk_bus").GetString());

        var copy = Path.Combine(_server.Data, "copy.qcow2");
        await RunAsync("image", "save", "--file", copy, "Renamed");
        Assert.Equal(await File.ReadAllBytesAsync(file, Stop), await File.ReadAllBytesAsync(copy, Stop));

        await RunAsync("image", "delete", "Renamed");
        Assert.Empty((await JsonAsync("image", "list")).EnumerateArray());
        Assert.Empty(Directory.GetFiles(Path.Combine(_server.Data, "store", "content"), "*", SearchOption.AllDirectories));
    }

    [FactWithTool("openstack")]
    public async Task A_tenant_is_made_and_sees_what_is_shared_with_it()
    {
        await RunAsync("project", "create", "tenant");
        await RunAsync("user", "create", "--password", "tenant secret", "--project", "tenant", "ann");
        await RunAsync("role", "add", "--user", "ann", "--project", "tenant", "member");
        var file = Path.Combine(_server.Data, "shared.raw");
        await File.WriteAllBytesAsync(file, new byte[4096], Stop);
        await RunAsync("image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", file, "--shared", "shared one");
        await RunAsync("image", "add", "project", "shared one", "tenant");

        var ann = new Dictionary<string, string>(_server.OpenStackEnvironment)
        {
            ["OS_USERNAME"] = "ann",
            ["OS_PASSWORD"] = "tenant secret",
            ["OS_PROJECT_NAME"] = "tenant",
        };
        Assert.Empty(JsonOf(await OpenStackAsync(ann, "image", "list", "-f", "json")).EnumerateArray());

        var id = (await JsonAsync("image", "show", "shared one")).GetProperty("id").GetString()!;
        (await OpenStackAsync(ann, "image", "set", "--accept", id)).Succeeded();
        var seen = JsonOf(await OpenStackAsync(ann, "image", "list", "--shared", "-f", "json"));
        Assert.Equal(id, Assert.Single(seen.EnumerateArray()).GetProperty("ID").GetString());
        Assert.NotEqual(0, (await OpenStackAsync(ann, "image", "delete", id)).ExitCode);
    }

    [FactWithTool("openstack")]
    public async Task Limits_are_set_shown_and_held_against_images()
    {
        await RunAsync("registered", "limit", "create", "--service", "glance", "--default-limit", "5", "image_count_total");
        await RunAsync("limit", "create", "--service", "glance", "--project", "admin", "--resource-limit", "9", "image_count_total");
        var limit = Assert.Single((await JsonAsync("limit", "list")).EnumerateArray()).GetProperty("ID").GetString()!;
        await RunAsync("limit", "set", "--resource-limit", "1", limit);
        Assert.Equal(1, (await JsonAsync("limit", "show", limit)).GetProperty("resource_limit").GetInt32());

        var file = Path.Combine(_server.Data, "small.raw");
        await File.WriteAllBytesAsync(file, new byte[512], Stop);
        string[] create = ["image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", file];
        await RunAsync([.. create, "first"]);
        var refused = await OpenStackAsync(_server.OpenStackEnvironment, [.. create, "second"]);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("image_count_total is over limit of 1 due to current usage 1 and delta 1", refused.Error, StringComparison.Ordinal);

        await RunAsync("limit", "delete", limit);
        await RunAsync([.. create, "second"]);
        var registered = Assert.Single((await JsonAsync("registered", "limit", "list")).EnumerateArray()).GetProperty("ID").GetString()!;
        await RunAsync("registered", "limit", "set", "--default-limit", "2", registered);
        Assert.Equal(2, (await JsonAsync("registered", "limit", "show", registered)).GetProperty("default_limit").GetInt32());
        await RunAsync("registered", "limit", "delete", registered);
    }

    [FactWithTool("openstack")]
    public async Task Members_properties_and_tags_come_and_go_by_the_stock_client()
    {
        var file = Path.Combine(_server.Data, "small.raw");
        await File.WriteAllBytesAsync(file, new byte[512], Stop);
        await RunAsync(
            "image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", file, "--shared", "--property", "team=storage", "--tag", "t", "one");
        await RunAsync("project", "create", "tenant");
        await RunAsync("image", "add", "project", "one", "tenant");
        var member = Assert.Single((await JsonAsync("image", "member", "list", "one")).EnumerateArray());
        Assert.Equal("pending", member.GetProperty("Status").GetString());
        await RunAsync("image", "remove", "project", "one", "tenant");
        Assert.Empty((await JsonAsync("image", "member", "list", "one")).EnumerateArray());

        await RunAsync("image", "unset", "--property", "team", "--tag", "t", "one");
        var shown = await JsonAsync("image", "show", "one");
        Assert.Empty(shown.GetProperty("tags").EnumerateArray());
        Assert.False(shown.GetProperty("properties").TryGetProperty("team", out _));
        await RunAsync("image", "set", "--deactivate", "one");
        Assert.Equal("deactivated", (await JsonAsync("image", "show", "one")).GetProperty("status").GetString());
    }

    [FactWithTool("openstack")]
    public async Task The_printed_environment_is_all_the_stock_client_needs()
    {
        var printed = (await Command.RunAsync(
            Checkout.Program("Vitrine.Cli", "vitrine"), ["openrc", "--with-secret"], _server.VitrineEnvironment)).Succeeded();
        var listed = await Command.RunAsync("bash", ["-c", $"{printed}\nopenstack image list -f json"]);

        Assert.Equal("[]", listed.Succeeded());
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments) =>
        JsonOf(await OpenStackAsync(_server.OpenStackEnvironment, [.. arguments, "-f", "json"]));

    private async Task RunAsync(params string[] arguments) => (await OpenStackAsync(_server.OpenStackEnvironment, arguments)).Succeeded();

    private static Task<CommandResult> OpenStackAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        Command.RunAsync("openstack", arguments, environment);

    private static JsonElement JsonOf(CommandResult result) => JsonDocument.Parse(result.Succeeded()).RootElement;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
