using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Vitrine.EndToEndTests;

internal enum LinkState
{
    Whole,

    /// <summary>Connections are reset, and new ones too.</summary>
    Cut,

    /// <summary>Nothing passes, and nobody is told: what was on the way arrives when the link is whole again.</summary>
    Silent,
}

/// <summary>A way over TCP from a port of its own to servers on this machine, that a test can cut; a load balancer where there are several.</summary>
internal sealed class NetworkLink : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = [];
    private readonly int[] _targets;
    private readonly ConcurrentDictionary<int, bool> _avoided = [];
    private readonly Task _accepting;
    private volatile LinkState _state = LinkState.Whole;
    private int _turn;

    private NetworkLink(int[] targets)
    {
        _targets = targets;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public LinkState State
    {
        get => _state;
        set
        {
            _state = value;
            if (value is LinkState.Cut)
                Reset();
        }
    }

    public static NetworkLink To(params int[] ports) => new(ports);

    /// <summary>Sends nobody to one of the servers, as a balancer does with one that does not answer.</summary>
    public void Avoid(int port) => _avoided[port] = true;

    public void Use(int port) => _avoided.TryRemove(port, out _);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Reset();
        _stop.Dispose();
    }

    private void Reset()
    {
        foreach (var socket in _open.Keys)
            socket.Close(timeout: 0);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = JoinAsync(await _listener.AcceptSocketAsync(_stop.Token));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task JoinAsync(Socket from)
    {
        using var to = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        (_open[from], _open[to]) = (true, true);
        try
        {
            if (_state is not LinkState.Cut)
            {
                await to.ConnectAsync(IPAddress.Loopback, Choose(), _stop.Token);
                await Task.WhenAny(PassAsync(from, to), PassAsync(to, from));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of the ends, or the test, is over.
        }
        finally
        {
            _open.TryRemove(from, out _);
            _open.TryRemove(to, out _);
            from.Close(timeout: 0);
        }
    }

    private int Choose()
    {
        var usable = _targets.Where(t => !_avoided.ContainsKey(t)).DefaultIfEmpty(_targets[0]).ToArray();
        return usable[(uint)Interlocked.Increment(ref _turn) % usable.Length];
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            {
                while (_state is LinkState.Silent)
                    await Task.Delay(LookInterval, TimeProvider.System, _stop.Token);
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // As above.
        }
    }
}
