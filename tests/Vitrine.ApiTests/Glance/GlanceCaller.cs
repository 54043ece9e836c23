using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Vitrine.ApiTests.Glance;

/// <summary>Speaks to the Glance face with one token, as plainly as its clients do.</summary>
internal sealed class GlanceCaller(LibraryHost host, string? token)
{
    public const string Patch20 = "application/openstack-images-v2.0-json-patch";
    public const string Patch21 = "application/openstack-images-v2.1-json-patch";

    public Task<GlanceReply> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync("GET", path, content: null, headers);

    public Task<GlanceReply> DeleteAsync(string path) => SendAsync("DELETE", path, content: null);

    public Task<GlanceReply> PostAsync(string path, string? json = null, params (string Name, string Value)[] headers) =>
        SendAsync("POST", path, json is null ? null : Text(json, "application/json"), headers);

    public Task<GlanceReply> PutAsync(string path, string? json = null) =>
        SendAsync("PUT", path, json is null ? null : Text(json, "application/json"));

    public Task<GlanceReply> PatchAsync(string id, string json, string mediaType = Patch21) =>
        SendAsync("PATCH", $"/v2/images/{id}", Text(json, mediaType));

    public Task<GlanceReply> UploadAsync(string id, byte[] bytes, params (string Name, string Value)[] headers)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return SendAsync("PUT", $"/v2/images/{id}/file", content, headers);
    }

    /// <summary>An image that waits for data.</summary>
    public async Task<string> CreateAsync(string more = "", string formats = """ "disk_format": "raw", "container_format": "bare" """)
    {
        var reply = await PostAsync("/v2/images", "{" + string.Join(',', new[] { formats, more }.Where(p => p.Trim().Length > 0)) + "}");
        Assert.Equal(HttpStatusCode.Created, reply.Status);
        return reply.Text("id");
    }

    /// <summary>An image with data.</summary>
    public async Task<string> CreateActiveAsync(byte[] bytes, string more = "")
    {
        var id = await CreateAsync(more);
        Assert.Equal(HttpStatusCode.NoContent, (await UploadAsync(id, bytes)).Status);
        return id;
    }

    /// <param name="path">Below the prefix; may already be escaped.</param>
    public async Task<GlanceReply> SendAsync(string method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{host.Address}/image{path}") { Content = content };
        if (token is not null)
            request.Headers.Add("X-Auth-Token", token);
        if (!headers.Any(h => h.Name == "Accept"))
            request.Headers.Add("Accept", "application/json");
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content!.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await host.Http.SendAsync(request, HttpCompletionOption.ResponseContentRead, TestContext.Current.CancellationToken);
        return new GlanceReply(
            response.StatusCode,
            response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase),
            await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    private static ByteArrayContent Text(string text, string mediaType)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }
}

internal sealed record GlanceReply(HttpStatusCode Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string BodyText => Encoding.UTF8.GetString(Body);

    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();

    public string Text(string name) => Json[name]!.GetValue<string>();

    /// <summary>The values of one member in a list of objects.</summary>
    public IEnumerable<string> Each(string list, string name) => Json[list]!.AsArray().Select(item => item![name]!.GetValue<string>());
}
