using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Vitrine.Client;

/// <summary>A library's own face, for .NET programs. Safe to use from many threads.</summary>
/// <remarks>Everything here throws <see cref="LibraryClientException"/> for what goes wrong at the other end or on the way.</remarks>
public sealed partial class LibraryClient : IDisposable
{
    private const string Api = "api/v1";

    private readonly HttpClient _http;
    private readonly LibraryClientOptions _options;
    private string? _token;

    /// <param name="address">The root of the server, as <c>https://images.example.org:8443/</c>.</param>
    public LibraryClient(Uri address, LibraryClientOptions options)
    {
        (_options, _token) = (options, options.Token);
        _http = new HttpClient(HandlerFor(options))
        {
            BaseAddress = address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public Uri Address => _http.BaseAddress!;

    internal TimeProvider Time => _options.Time;

    internal LibraryClientOptions Options => _options;

    /// <summary>Logs in, and uses the token from then on.</summary>
    public async Task<TokenRecord> LogInAsync(TokenRequest credentials, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Api}/tokens")
        {
            Content = JsonContent.Create(credentials, LibraryJson.Default.TokenRequest),
        };
        using var response = await SendOnceAsync(request, cancellationToken);
        await ThrowUnlessSuccessAsync(response, cancellationToken);
        var token = await ReadAsync(response, LibraryJson.Default.TokenRecord, cancellationToken);
        _token = token.Token;
        return token;
    }

    /// <summary>The token holds no more, for nobody.</summary>
    public async Task LogOutAsync(CancellationToken cancellationToken)
    {
        await DoAsync(HttpMethod.Delete, $"{Api}/tokens", cancellationToken);
        _token = null;
    }

    public Task<MeRecord> GetMeAsync(CancellationToken cancellationToken) =>
        GetAsync($"{Api}/me", LibraryJson.Default.MeRecord, cancellationToken);

    public void Dispose() => _http.Dispose();

    /// <summary>Sends a request as who is logged in; once more after a new login, where the token no longer held.</summary>
    /// <param name="make">Makes the request, which can be sent once only.</param>
    internal async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        await EnsureTokenAsync(cancellationToken);
        var response = await SendOnceAsync(Authorised(make()), cancellationToken);
        if (response.StatusCode is HttpStatusCode.Unauthorized && _options.Credentials is { } credentials)
        {
            response.Dispose();
            await LogInAsync(credentials, cancellationToken);
            response = await SendOnceAsync(Authorised(make()), cancellationToken);
        }

        try
        {
            await ThrowUnlessSuccessAsync(response, cancellationToken);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    private async Task<T> SendJsonAsync<TBody, T>(
        HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            () => new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, bodyType) }, cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    private async Task<T> DoAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => new HttpRequestMessage(method, path), cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    private async Task DoAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => new HttpRequestMessage(method, path), cancellationToken);
    }

    private async Task EnsureTokenAsync(CancellationToken cancellationToken)
    {
        if (_token is not null)
            return;

        await LogInAsync(
            _options.Credentials ?? throw new LibraryClientException(ClientCodes.NotLoggedIn, "You are not logged in.", "Log in first."), cancellationToken);
    }

    private HttpRequestMessage Authorised(HttpRequestMessage request)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        return request;
    }

    /// <summary>Waits for the head of an answer. A body that is sent takes the time it needs.</summary>
    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(
            request.Content is UploadContent ? Timeout.InfiniteTimeSpan : _options.AnswerTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LibraryClientException(ClientCodes.Stalled, $"{Address.Authority} does not answer.", "Try again later.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException) // the last where it is reset as soon as it is made
        {
            throw Unreachable(failure);
        }
    }

    private async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new JsonException("null");
        }
        catch (JsonException failure)
        {
            throw new LibraryClientException(
                ClientCodes.NotALibrary, $"{Address.Authority} gave an answer that is not a library's.", "Check the address, and that both ends are of one version.", failure);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Unreachable(failure);
        }
    }

    internal LibraryClientException Unreachable(Exception failure)
    {
        var cause = failure.GetBaseException().Message;
        return new LibraryClientException(
            ClientCodes.Unreachable, $"{Address.Authority} cannot be reached: {cause.TrimEnd('.')}.", "Check the address, and that the server is running.", failure);
    }

    private async Task ThrowUnlessSuccessAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw new LibraryClientException(response.StatusCode, await ReadProblemAsync(response, cancellationToken));
    }

    /// <summary>Answers to HEAD have no body, and proxies give pages of their own.</summary>
    private async Task<ProblemRecord> ReadProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        try
        {
            if (response.Content.Headers.ContentType?.MediaType == "application/problem+json"
                && await response.Content.ReadFromJsonAsync(LibraryJson.Default.ProblemRecord, cancellationToken) is { } problem)
                return problem;
        }
        catch (Exception failure) when (failure is JsonException or HttpRequestException or IOException)
        {
            // The status says enough.
        }

        return new ProblemRecord(
            "about:blank", response.ReasonPhrase ?? "", status, $"{Address.Authority} answered {status} {response.ReasonPhrase}.", $"http-{status}",
            Field: null, "Check the address, and the server's log.", RequestId: "");
    }

    private static SocketsHttpHandler HandlerFor(LibraryClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            Expect100ContinueTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (options.Authorities is { } authorities)
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = PolicyFor(authorities) };
        return handler;
    }

    private static X509ChainPolicy PolicyFor(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }
}
