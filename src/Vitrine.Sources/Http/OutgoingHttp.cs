using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Net.Sockets;
using System.Text;
using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.Sources.Http;

/// <summary>Asks an address by HTTP/1.1 and follows its redirects, each of them checked like the first.</summary>
/// <remarks>
/// No cookies, no caches, no decompression, no proxy of the environment, no tracing headers: what arrives is what the source
/// holds, and what leaves says nothing of us but our name and version.
/// </remarks>
internal sealed class OutgoingHttp(OutgoingPolicy policy, OutgoingConnector connector, SourceOptions options, TimeProvider time)
{
    // More would be a loop, or somebody who plays with us.
    private const int MaxRedirects = 5;
    private const int MaxHeaderKib = 64;
    public static readonly IReadOnlyCollection<string> Schemes = [Uri.UriSchemeHttp, Uri.UriSchemeHttps];
    private static readonly string UserAgent = $"Vitrine/{typeof(OutgoingHttp).Assembly.GetName().Version?.ToString(3)}";

    /// <exception cref="SourceException">Malformed, refused, or of another scheme.</exception>
    public OutgoingTarget Demand(Uri address) => policy.Demand(address, Schemes);

    /// <exception cref="SourceException">Refused, not reachable, or no usable answer. Any status but a redirect is an answer.</exception>
    public async Task<HttpExchange> SendAsync(Uri address, HttpAsk ask, CancellationToken cancellationToken)
    {
        var login = LoginOf(address, ask);
        for (var redirects = 0; ; redirects++)
        {
            var exchange = await SendOnceAsync(address, ask, login, cancellationToken);
            if (!IsRedirect(exchange.Status) || ask.Json is not null)
                return exchange;

            await using (exchange)
            {
                if (redirects == MaxRedirects)
                    throw new SourceException(
                        SourceFault.TooManyRedirects, $"{exchange.Target.Host} redirects once more after {MaxRedirects} redirects.", mayPass: false);

                var next = Redirect.Read(address, exchange);
                login = Redirect.KeepsLogin(exchange.Target, Demand(next)) ? login : null;
                address = next;
            }
        }
    }

    private static HttpLogin? LoginOf(Uri address, HttpAsk ask) =>
        ask.Login ?? (BasicLogin.Of(address) is { } login ? HttpLogin.Basic(login.Parameter) : null);

    private static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found
        or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private async Task<HttpExchange> SendOnceAsync(Uri address, HttpAsk ask, HttpLogin? login, CancellationToken cancellationToken)
    {
        var target = Demand(address);
        var connection = await connector.OpenAsync(target, cancellationToken);
        var invoker = new HttpMessageInvoker(Handler(connection, connector.ForwardingProxy(target)));
        try
        {
            using var request = Request(address, target, ask, login);
            return new HttpExchange(address, target, await SendAsync(invoker, request, target, cancellationToken), invoker, connection);
        }
        catch
        {
            await connection.DisposeAsync();
            invoker.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMessageInvoker invoker, HttpRequestMessage request, OutgoingTarget target, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.HeaderTimeout, time, cancellationToken);
        try
        {
            return await invoker.SendAsync(request, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.HasPassed && !cancellationToken.IsCancellationRequested)
        {
            throw new SourceException(
                SourceFault.Stalled, $"{target.Host} did not answer within {options.HeaderTimeout.TotalSeconds:0.#} s.", mayPass: true);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException) // the last where the connection is reset as soon as it is made
        {
            throw HttpFailures.OfAnswer(target, fault);
        }
    }

    /// <summary>A handler that has one connection, which is open and checked already, and can make no other.</summary>
    private static SocketsHttpHandler Handler(OutgoingConnection connection, ProxyAddress? proxy)
    {
        Stream? only = connection.Stream;
        return new SocketsHttpHandler
        {
            ConnectCallback = (_, _) => Interlocked.Exchange(ref only, null) is { } stream
                ? ValueTask.FromResult(stream)
                : throw new InvalidOperationException("A handler was used for a second connection."),
            UseProxy = proxy is not null,
            Proxy = proxy is null ? null : new WebProxy(proxy.Host, proxy.Port),
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxConnectionsPerServer = 1,
            MaxResponseDrainSize = 0,
            MaxResponseHeadersLength = MaxHeaderKib,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            UseCookies = false,
        };
    }

    /// <summary>Always spelt with http:, as TLS, where there is any, is a matter of the connection that the handler is given.</summary>
    private HttpRequestMessage Request(Uri address, OutgoingTarget target, HttpAsk ask, HttpLogin? login)
    {
        var request = new HttpRequestMessage(ask.Method, $"http://{target.Authority}{address.PathAndQuery}") { Version = HttpVersion.Version11 };
        request.Headers.Host = address.IsDefaultPort ? target.Bracketed : target.Authority;
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        request.Headers.ConnectionClose = true;
        ask.WriteTo(request.Headers);
        if (login is not null)
            request.Headers.TryAddWithoutValidation(login.Header, login.Value);
        if (ask.Json is not null)
            request.Content = new StringContent(ask.Json, Encoding.UTF8, MediaTypeNames.Application.Json);
        if (connector.ForwardingProxy(target) is { Login: { } proxyLogin })
            request.Headers.ProxyAuthorization = new AuthenticationHeaderValue(BasicLogin.Scheme, proxyLogin.Parameter);
        return request;
    }
}
