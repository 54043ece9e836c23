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

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = [];
    private readonly int[] _targets;
    private readonly ConcurrentDictionary<int, bool> _avoided = [];
    private readonly Task _accepting;
    private volatile LinkState _state = LinkState.Whole;
    private int _turn;
    private long _passed;
    private long _silentAt = long.MaxValue;
    private long _carried;

    private NetworkLink(IPAddress address, int[] targets)
    {
        _targets = targets;
        _listener = new TcpListener(address, 0);
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

    /// <summary>How many bytes came from the servers.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    /// <summary>How many bytes went and came.</summary>
    public long Carried => Interlocked.Read(ref _carried);

    public static NetworkLink To(params int[] ports) => new(IPAddress.Loopback, ports);

    /// <summary>The same on another network.</summary>
    public static NetworkLink At(IPAddress address, int port) => new(address, [port]);

    /// <summary>Sends nobody to one of the servers, as a balancer does with one that does not answer.</summary>
    public void Avoid(int port) => _avoided[port] = true;

    public void Use(int port) => _avoided.TryRemove(port, out _);

    /// <summary>Becomes silent, once, when so many more bytes have come from the servers.</summary>
    public void FallSilentAfter(long bytes) => Interlocked.Exchange(ref _silentAt, Passed + bytes);

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
                await Task.WhenAny(PassAsync(from, to, _ => { }), PassAsync(to, from, Count));
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

    private void Count(int bytes)
    {
        if (Interlocked.Add(ref _passed, bytes) < Interlocked.Read(ref _silentAt))
            return;

        Interlocked.Exchange(ref _silentAt, long.MaxValue);
        State = LinkState.Silent;
    }

    /// <param name="passed">Is told how many bytes were passed on.</param>
    private async Task PassAsync(Socket from, Socket to, Action<int> passed)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            {
                while (_state is LinkState.Silent)
                    await Task.Delay(LookInterval, TimeProvider.System, _stop.Token);
                Interlocked.Add(ref _carried, read);
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token);
                passed(read);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // As above.
        }
    }
}
