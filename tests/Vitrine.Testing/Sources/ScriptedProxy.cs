using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vitrine.Testing.Sources;

/// <summary>An HTTP proxy on 127.0.0.1 that tunnels, forwards and, if told to, keeps what it forwarded.</summary>
public sealed class ScriptedProxy : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<SeenRequest> _requests = new();
    private readonly ConcurrentDictionary<string, byte[]> _kept = new();
    private readonly ConcurrentDictionary<Task, bool> _talks = new();
    private readonly Task _accepting;
    private int _connections;
    private int _hits;

    public ScriptedProxy()
    {
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Where a host and port of a request are really reached; null answers 403.</summary>
    public Func<string, int, IPEndPoint?> Reach { get; set; } = (host, port) => new IPEndPoint(IPAddress.Parse(host), port);

    /// <summary>The name and password, with a colon between, without which the answer is 407.</summary>
    public string? Login { get; set; }

    /// <summary>Keeps every forwarded answer by its address and gives it again. For small files: they are kept in memory.</summary>
    public bool Caches { get; set; }

    public IReadOnlyList<SeenRequest> Requests => [.. _requests];

    /// <summary>How many answers were given without asking the source.</summary>
    public int Hits => Volatile.Read(ref _hits);

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
                var talk = TalkAsync(await _listener.AcceptAsync(_stop.Token), Interlocked.Increment(ref _connections));
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
            await using var client = new NetworkStream(socket, ownsSocket: true);
            if (await SeenRequest.ReadAsync(client, connection, _stop.Token) is not { } request)
                return;

            _requests.Enqueue(request);
            if (!Admits(request))
                await SayAsync(client, "407 Proxy Authentication Required");
            else if (request.Method == "CONNECT")
                await TunnelAsync(client, request);
            else
                await ForwardAsync(client, request);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One of the two sides had enough, or the test is over.
        }
    }

    private bool Admits(SeenRequest request) => Login is null
        || request.Header("Proxy-Authorization") == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Login));

    private async Task TunnelAsync(NetworkStream client, SeenRequest request)
    {
        var colon = request.Target.LastIndexOf(':');
        if (Reach(request.Target[..colon], int.Parse(request.Target[(colon + 1)..])) is not { } endPoint)
        {
            await SayAsync(client, "403 Forbidden");
            return;
        }

        await using var source = await ConnectAsync(endPoint);
        await client.WriteAsync("HTTP/1.1 200 Connected\r\n\r\n"u8.ToArray(), _stop.Token);
        await Task.WhenAny(client.CopyToAsync(source, _stop.Token), source.CopyToAsync(client, _stop.Token));
    }

    private async Task ForwardAsync(NetworkStream client, SeenRequest request)
    {
        var address = new Uri(request.Target);
        if (Caches && _kept.TryGetValue(request.Target, out var kept))
        {
            Interlocked.Increment(ref _hits);
            await client.WriteAsync(kept, _stop.Token);
            return;
        }

        if (Reach(address.Host, address.Port) is not { } endPoint)
        {
            await SayAsync(client, "403 Forbidden");
            return;
        }

        await using var source = await ConnectAsync(endPoint);
        await source.WriteAsync(Encoding.Latin1.GetBytes(Forwarded(request, address)), _stop.Token);
        if (!Caches)
        {
            await source.CopyToAsync(client, _stop.Token);
            return;
        }

        using var answer = new MemoryStream();
        await source.CopyToAsync(answer, _stop.Token);
        _kept[request.Target] = answer.ToArray();
        await client.WriteAsync(answer.ToArray(), _stop.Token);
    }

    // RFC 9112 section 3.2.2: the host of the target takes the place of whatever Host said.
    private static string Forwarded(SeenRequest request, Uri address)
    {
        var kept = request.Headers.Where(h => !h.Key.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase) && !h.Key.Equals("Host", StringComparison.OrdinalIgnoreCase));
        return $"{request.Method} {address.PathAndQuery} HTTP/1.1\r\nHost: {address.Authority}\r\n{string.Concat(kept.Select(h => $"{h.Key}: {h.Value}\r\n"))}\r\n";
    }

    private async Task SayAsync(NetworkStream client, string status) =>
        await client.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), _stop.Token);

    private async Task<NetworkStream> ConnectAsync(IPEndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint, _stop.Token);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
