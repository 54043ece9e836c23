using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vitrine.Access;
using Vitrine.OpenStack.Identity;
using Vitrine.Testing;

namespace Vitrine.ApiTests.Identity;

/// <summary>The Keystone face in process, with a catalogue of its own and the administrator made.</summary>
public sealed class KeystoneHost : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-keystone-");
    private readonly WebApplication _app;

    private KeystoneHost(string? publicUrl)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration["OpenStack:PublicUrl"] = publicUrl;
        IdentityHouse.AddTo(builder.Services, Path.Combine(_directory.FullName, "catalogue.db"), Clock);
        builder.Services.AddKeystone();
        _app = builder.Build();
        _app.MapKeystone();
        _app.MapGet("/whoami", (Microsoft.AspNetCore.Http.HttpContext context) => context.GetCaller().User.Value).RequireLogin();
    }

    public ManualClock Clock { get; } = new();

    public static async Task<KeystoneHost> StartAsync(CancellationToken cancellationToken, string? publicUrl = null)
    {
        var host = new KeystoneHost(publicUrl);
        await host._app.StartAsync(cancellationToken);
        await host._app.Services.GetRequiredService<Bootstrap>().RunAsync(IdentityHouse.AdminPassword, cancellationToken);
        return host;
    }

    /// <summary>A client that sends the token, if there is one, and follows nothing by itself.</summary>
    public KeystoneClient Client(string? token = null) => new(_app.GetTestClient(), token);

    public async Task<string> SendRawAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var response = await _app.GetTestClient().SendAsync(request, cancellationToken);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    public async Task<KeystoneClient> AdminAsync(CancellationToken cancellationToken) =>
        await LogInAsync("admin", IdentityHouse.AdminPassword, "admin", cancellationToken);

    public async Task<KeystoneClient> LogInAsync(string user, string password, string? project, CancellationToken cancellationToken)
    {
        var answer = await Client().PostAsync("auth/tokens", Tokens.ByName(user, password, project), cancellationToken);
        return Client(answer.SubjectToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}

/// <summary>Sends requests below <c>/identity/v3/</c> and reads answers as JSON, whatever their status.</summary>
public sealed class KeystoneClient(HttpClient http, string? token)
{
    public string? Token => token;

    public Task<Answer> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, content: null, cancellationToken);

    public Task<Answer> PostAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, JsonContent.Create(body), cancellationToken);

    public Task<Answer> PatchAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, path, JsonContent.Create(body), cancellationToken);

    public Task<Answer> SendAsync(HttpMethod method, string path, CancellationToken cancellationToken, string? subject = null) =>
        SendAsync(method, path, content: null, cancellationToken, subject);

    public async Task<Answer> SendAsync(
        HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken, string? subject = null)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith('/') ? path : $"/identity/v3/{path}") { Content = content };
        if (token is not null)
            request.Headers.Add("X-Auth-Token", token);
        if (subject is not null)
            request.Headers.Add("X-Subject-Token", subject);

        using var response = await http.SendAsync(request, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        var headers = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value));
        return new Answer((int)response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text) : null, text, headers);
    }
}

public sealed record Answer(int Status, JsonNode? Json, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public string? SubjectToken => Headers.GetValueOrDefault("X-Subject-Token");

    /// <summary>A value by its path, as <c>project.domain.id</c>.</summary>
    public JsonNode? this[string path] => path.Split('.').Aggregate(Json, (node, name) => node?[name]);

    public string TextAt(string path) => this[path]!.GetValue<string>();

    /// <summary>The values of one field over a list.</summary>
    public string[] Each(string list, string field) => [.. this[list]!.AsArray().Select(item => item![field]!.GetValue<string>())];
}

/// <summary>The forms of token requests that clients send.</summary>
public static class Tokens
{
    public static JsonObject ByName(string user, string password, string? project) => With(
        new JsonObject
        {
            ["methods"] = new JsonArray("password"),
            ["password"] = new JsonObject
            {
                ["user"] = new JsonObject
                {
                    ["name"] = user,
                    ["domain"] = new JsonObject { ["name"] = "Default" },
                    ["password"] = password,
                },
            },
        },
        project is null ? null : ProjectNamed(project));

    public static JsonObject ById(string userId, string password, JsonNode? scope) => With(
        new JsonObject
        {
            ["methods"] = new JsonArray("password"),
            ["password"] = new JsonObject
            {
                ["user"] = new JsonObject
                {
                    ["id"] = userId,
                    ["domain"] = new JsonObject { ["id"] = "default" },
                    ["password"] = password,
                },
            },
        },
        scope);

    public static JsonObject ByToken(string token, JsonNode? scope) => With(
        new JsonObject { ["methods"] = new JsonArray("token"), ["token"] = new JsonObject { ["id"] = token } }, scope);

    public static JsonObject ByCredential(JsonObject credential, JsonNode? scope = null) => With(
        new JsonObject { ["methods"] = new JsonArray("application_credential"), ["application_credential"] = credential }, scope);

    public static JsonObject ProjectNamed(string name) => new()
    {
        ["project"] = new JsonObject { ["name"] = name, ["domain"] = new JsonObject { ["name"] = "Default" } },
    };

    private static JsonObject With(JsonObject identity, JsonNode? scope)
    {
        var auth = new JsonObject { ["identity"] = identity };
        if (scope is not null)
            auth["scope"] = scope;
        return new JsonObject { ["auth"] = auth };
    }
}
