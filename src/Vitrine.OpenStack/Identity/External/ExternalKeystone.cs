using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity.External;

/// <summary>Asks the cloud's Keystone (Identity API v3). It is where the operator says, and is asked for nothing else.</summary>
internal sealed class ExternalKeystone : IDisposable
{
    private const string SubjectHeader = "X-Subject-Token";
    private const int MaxAnswer = 4 * 1024 * 1024;

    private readonly HttpClient _http;

    public ExternalKeystone(ExternalKeystoneOptions options) => _http = new HttpClient(HandlerFor(options))
    {
        BaseAddress = new Uri(options.Url!.TrimEnd('/') + "/"),
        Timeout = options.Timeout,
        MaxResponseContentBufferSize = MaxAnswer,
    };

    /// <summary>What a token stands for. It is shown as its own proof: every user may look at its own token.</summary>
    /// <exception cref="UnauthenticatedException">It does not hold.</exception>
    /// <exception cref="IdentityUnavailableException">There was no answer that says.</exception>
    public async Task<ToldToken> ShowAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "auth/tokens?nocatalog");
        request.Headers.TryAddWithoutValidation(SubjectHeader, token);
        using var answer = await SendAsync(request, token, cancellationToken);
        return (await ReadAsync(answer, ExternalJson.Default.ToldTokenAnswer, cancellationToken)).Token;
    }

    /// <summary>Logs in.</summary>
    /// <inheritdoc cref="ShowAsync" path="/exception"/>
    public async Task<(string Token, ToldToken Told)> AuthenticateAsync(AuthenticationBody body, CancellationToken cancellationToken)
    {
        // Of a known length: the servers that Keystone runs in take no body in chunks.
        using var request = new HttpRequestMessage(HttpMethod.Post, "auth/tokens?nocatalog")
        {
            Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, ExternalJson.Default.AuthenticationBody)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await SendAsync(request, token: null, cancellationToken);
        return answer.Headers.TryGetValues(SubjectHeader, out var values) && values.FirstOrDefault() is { Length: > 0 } token
            ? (token, (await ReadAsync(answer, ExternalJson.Default.ToldTokenAnswer, cancellationToken)).Token)
            : throw new IdentityUnavailableException("it let somebody in and gave no token");
    }

    /// <summary>The projects that a user can log in to.</summary>
    /// <inheritdoc cref="ShowAsync" path="/exception"/>
    public async Task<IReadOnlyList<KnownAs>> ListProjectsAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "auth/projects");
        using var answer = await SendAsync(request, token, cancellationToken);
        return (await ReadAsync(answer, ExternalJson.Default.ToldProjects, cancellationToken)).Projects;
    }

    /// <inheritdoc cref="ShowAsync" path="/exception"/>
    public async Task RevokeAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "auth/tokens");
        request.Headers.TryAddWithoutValidation(SubjectHeader, token);
        using var answer = await SendAsync(request, token, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string? token, CancellationToken cancellationToken)
    {
        if (token is not null)
            request.Headers.TryAddWithoutValidation(KeystoneAuthentication.TokenHeader, token);

        var answer = await AskAsync(request, cancellationToken);
        if (answer.IsSuccessStatusCode)
            return answer;

        using (answer)
        {
            // Whoever is not let in is not told more; a body that Keystone cannot read was made of what the client said.
            throw answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.BadRequest
                ? new UnauthenticatedException()
                : new IdentityUnavailableException($"it answered {(int)answer.StatusCode}");
        }
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException or SocketException) // the latter where the connection is reset as soon as it is made
        {
            throw new IdentityUnavailableException(failure.GetBaseException().Message, failure);
        }
        catch (TaskCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IdentityUnavailableException($"nothing came within {_http.Timeout.TotalSeconds:0} seconds", failure);
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return await answer.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new JsonException("null");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new IdentityUnavailableException("it answered in words that are not Keystone's", failure);
        }
    }

    private static SocketsHttpHandler HandlerFor(ExternalKeystoneOptions options)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = options.Timeout, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (options.Authorities is { } file)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(file);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }
}
