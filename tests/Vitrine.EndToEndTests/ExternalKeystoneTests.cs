using System.Security.Cryptography;
using System.Text.Json;
using Vitrine.Client;
using Vitrine.Testing;

[assembly: AssemblyFixture(typeof(KeystoneServer))]

namespace Vitrine.EndToEndTests;

/// <summary>A library behind the Keystone that a cloud has already: the real one, its own users, the stock clients.</summary>
public sealed class ExternalKeystoneTests(KeystoneServer keystone) : IAsyncLifetime
{
    private ServerProcess _server = null!;
    private string _keystone = "";
    private string _password = "";

    public async ValueTask InitializeAsync()
    {
        (_keystone, _password) = await keystone.StartAsync();
        _server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_OPENSTACK__KEYSTONE__URL"] = _keystone,
            ["VITRINE_OPENSTACK__KEYSTONE__REMEMBER"] = "00:00:01",
        });
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [FactWithTool("openstack")]
    public async Task The_clouds_users_work_with_the_stock_client_within_their_roles()
    {
        await RegisterAsync();
        var file = Path.Combine(_server.Data, "disk.raw");
        await File.WriteAllBytesAsync(file, new byte[2 << 20], Stop);
        (await OpenStackAsync("member", "image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", file, "Of a tenant")).Succeeded();

        // The reader of the same project sees it and cannot change it.
        Assert.Contains("Of a tenant", (await OpenStackAsync("reader", "image", "list")).Succeeded());
        Assert.NotEqual(0, (await OpenStackAsync("reader", "image", "set", "--name", "Another", "Of a tenant")).ExitCode);
        Assert.NotEqual(0, (await OpenStackAsync("member", "image", "set", "--public", "Of a tenant")).ExitCode);
        (await OpenStackAsync("admin", "image", "set", "--public", "Of a tenant")).Succeeded();
        (await OpenStackAsync("member", "image", "delete", "Of a tenant")).Succeeded();
    }

    [Fact]
    public async Task Our_own_client_logs_in_by_the_clouds_passwords_and_a_revoked_token_ends()
    {
        using var client = ClientOf("member");
        var me = await client.GetMeAsync(Stop);
        Assert.Equal(("member", "tenant"), (me.User.Name, me.Project?.Name));
        await client.CreateImageAsync(new ImageCreate { Name = "by REST" }, Stop);

        using var reader = ClientOf("reader");
        Assert.Contains(await reader.ListImagesAsync([], Stop).ToListAsync(Stop), i => i.Name == "by REST");
        Assert.Equal("forbidden", (await Assert.ThrowsAsync<LibraryClientException>(() => reader.CreateImageAsync(new ImageCreate { Name = "no" }, Stop))).Code);

        var token = await client.LogInAsync(Words("member"), Stop);
        Assert.Equal((_keystone, "RegionOne"), (token.IdentityUrl, token.Region));
        using var byToken = new LibraryClient(new Uri(_server.Url), new LibraryClientOptions { Token = token.Token });
        await byToken.GetMeAsync(Stop);

        // By whomever it was revoked, and wherever.
        (await Command.RunAsync("curl", ["-fsS", "-X", "DELETE", "-H", $"X-Auth-Token: {token.Token}", "-H", $"X-Subject-Token: {token.Token}", $"{_keystone}/auth/tokens"])).Succeeded();
        await Task.Delay(TimeSpan.FromSeconds(1.2), TimeProvider.System, Stop);
        Assert.Equal("unauthenticated", (await Assert.ThrowsAsync<LibraryClientException>(() => byToken.GetMeAsync(Stop))).Code);
    }

    [Fact]
    public async Task Nobody_else_gets_in_and_there_is_no_second_identity_service()
    {
        using var wrong = new LibraryClient(
            new Uri(_server.Url), new LibraryClientOptions { Credentials = Words("member") with { Password = "wrong" } });
        Assert.Equal("unauthenticated", (await Assert.ThrowsAsync<LibraryClientException>(() => wrong.GetMeAsync(Stop))).Code);

        // The library's own administrator is nobody here.
        using var own = _server.NewClient();
        Assert.Equal("unauthenticated", (await Assert.ThrowsAsync<LibraryClientException>(() => own.GetMeAsync(Stop))).Code);

        Assert.Equal("404", (await Command.RunAsync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", $"{_server.Url}/identity/v3"])).Output);
        var refused = await Command.RunAsync("curl", ["-s", "-i", $"{_server.Url}/image/v2/images"]);
        Assert.Contains($"Keystone uri=\"{_keystone}\"", refused.Output);
    }

    [FactWithTool("openstack")]
    public async Task An_image_of_another_region_comes_with_its_users_own_token()
    {
        await using var second = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_OPENSTACK__KEYSTONE__URL"] = _keystone,
            ["VITRINE_OPENSTACK__REGION"] = "RegionTwo",
            ["VITRINE_OPENSTACK__REGIONS__RegionOne__IMAGE"] = $"{_server.Url}/image",
        });
        var content = RandomNumberGenerator.GetBytes(5_000_000);
        await RegisterAsync();
        var file = Path.Combine(_server.Data, "disk.raw");
        await File.WriteAllBytesAsync(file, content, Stop);
        string[] create = ["image", "create", "--disk-format", "raw", "--container-format", "bare", "-f", "value", "-c", "id"];
        var origin = (await OpenStackAsync("member", [.. create, "--file", file, "Far away"])).Succeeded().Trim();

        using var here = ClientOf("member", second);
        var image = (await here.CreateImageAsync(new ImageCreate { Name = "Come here", Format = "raw" }, Stop)).Image.Id;

        // Debian's client of Glance knows the method, but does not find its own options for it.
        var token = (await OpenStackAsync("member", "token", "issue", "-f", "value", "-c", "id")).Succeeded().Trim();
        var import = $$$"""{"method":{"name":"glance-download","glance_region":"RegionOne","glance_image_id":"{{{origin}}}"}}""";
        (await Command.RunAsync("curl",
            ["-fsS", "-H", $"X-Auth-Token: {token}", "-H", "Content-Type: application/json", "-d", import, $"{second.Url}/image/v2/images/{image}/import"])).Succeeded();

        var arrived = await here.GetImageAsync(image, Stop);
        for (; arrived.Status is "queued" or "importing"; arrived = await here.GetImageAsync(image, Stop))
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop);
        Assert.Equal(("active", Convert.ToHexStringLower(SHA256.HashData(content))), (arrived.Status, arrived.Sha256));
    }

    private LibraryClient ClientOf(string user, ServerProcess? server = null) => new(new Uri((server ?? _server).Url), new LibraryClientOptions { Credentials = Words(user) });

    private TokenRequest Words(string user) => new() { User = user, Password = _password, Project = "tenant" };

    /// <summary>Makes the cloud's service catalogue lead to the library, as an operator does.</summary>
    private async Task RegisterAsync()
    {
        var services = JsonDocument.Parse((await OpenStackAsync("admin", "service", "list", "-f", "json")).Succeeded()).RootElement;
        if (services.EnumerateArray().FirstOrDefault(s => s.GetProperty("Type").GetString() == "image") is { ValueKind: JsonValueKind.Object } known)
            (await OpenStackAsync("admin", "service", "delete", known.GetProperty("ID").GetString()!)).Succeeded();
        (await OpenStackAsync("admin", "service", "create", "--name", "vitrine", "image")).Succeeded();
        (await OpenStackAsync("admin", "endpoint", "create", "--region", "RegionOne", "image", "public", $"{_server.Url}/image")).Succeeded();
    }

    private Task<CommandResult> OpenStackAsync(string user, params string[] arguments) => Command.RunAsync("openstack", arguments, new Dictionary<string, string>
    {
        ["OS_AUTH_URL"] = _keystone,
        ["OS_USERNAME"] = user,
        ["OS_PASSWORD"] = _password,
        ["OS_PROJECT_NAME"] = user == "admin" ? "admin" : "tenant",
        ["OS_USER_DOMAIN_NAME"] = "Default",
        ["OS_PROJECT_DOMAIN_NAME"] = "Default",
        ["OS_IDENTITY_API_VERSION"] = "3",
    });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
