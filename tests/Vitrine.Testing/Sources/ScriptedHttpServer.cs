using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Vitrine.Testing.Sources;

/// <summary>A web server on 127.0.0.1 that does what a test tells it to, and what no decent server would do.</summary>
/// <remarks>It speaks over plain sockets, as servers that are made to be right cannot be made to be wrong.</remarks>
public sealed class ScriptedHttpServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly SslStreamCertificateContext? _certificate;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ScriptedFile> _files = new();
    private readonly ConcurrentQueue<SeenRequest> _requests = new();
    private readonly ConcurrentDictionary<Task, bool> _talks = new();
    private readonly Task _accepting;
    private int _connections;

    private ScriptedHttpServer(SslStreamCertificateContext? certificate)
    {
        _certificate = certificate;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public string Scheme => _certificate is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;

    /// <summary>How many connections were made, those included over which nothing was asked.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>In the order of their arrival.</summary>
    public IReadOnlyList<SeenRequest> Requests => [.. _requests];

    public static ScriptedHttpServer Start() => new(certificate: null);

    /// <param name="certificate">With its private key.</param>
    /// <param name="between">Certificates of authorities that are sent with it.</param>
    public static ScriptedHttpServer StartTls(X509Certificate2 certificate, params X509Certificate2[] between) =>
        new(SslStreamCertificateContext.Create(certificate, [.. between], offline: true));

    /// <summary>Serves a file, in place of any other at this path.</summary>
    public ScriptedFile Serve(string path, ScriptedContent content)
    {
        var file = new ScriptedFile(content);
        _files[path] = file;
        return file;
    }

    public ScriptedFile Redirect(string path, string location, int status = 302)
    {
        var file = Serve(path, ScriptedContent.Of([]));
        (file.Status, file.Location) = (status, location);
        return file;
    }

    public Uri AddressOf(string path, string host = "127.0.0.1", string? login = null) =>
        new($"{Scheme}://{(login is null ? "" : login + "@")}{host}:{Port}{path}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_talks.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                var talk = TalkAsync(socket, Interlocked.Increment(ref _connections));
                _talks.TryAdd(talk, true);
                _ = talk.ContinueWith(done => _talks.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task TalkAsync(Socket socket, int connection)
    {
        await Task.Yield();
        try
        {
            await using var stream = await SecureAsync(new NetworkStream(socket, ownsSocket: true));
            if (await SeenRequest.ReadAsync(stream, connection, _stop.Token) is not { } request)
                return;

            _requests.Enqueue(request);
            var file = _files.GetValueOrDefault(request.Path) ?? new ScriptedFile(ScriptedContent.Of([])) { Status = 404 };
            await new ScriptedAnswer(file, request, stream).WriteAsync(_stop.Token);
            await EndAsync(socket, stream);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException or AuthenticationException or ObjectDisposedException)
        {
            // The client had enough, or the test is over.
        }
    }

    private async Task<Stream> SecureAsync(NetworkStream stream)
    {
        if (_certificate is null)
            return stream;

        var secured = new SslStream(stream);
        await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = _certificate }, _stop.Token);
        return secured;
    }

    /// <summary>Ends so that all that was sent arrives: a socket that is closed with something unread tells its peer to forget.</summary>
    private async Task EndAsync(Socket socket, Stream stream)
    {
        socket.Shutdown(SocketShutdown.Send);
        var rest = new byte[1024];
        while (await stream.ReadAsync(rest, _stop.Token) > 0)
        {
            // Nothing of it is of use.
        }
    }
}
