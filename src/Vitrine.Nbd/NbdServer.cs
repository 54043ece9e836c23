using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Vitrine.Nbd.Handshake;

namespace Vitrine.Nbd;

/// <summary>Offers exports over NBD until it is stopped.</summary>
public sealed partial class NbdServer : IAsyncDisposable
{
    // How often it is looked who is late. A limit is kept to this.
    private static readonly TimeSpan Watch = TimeSpan.FromSeconds(1);

    private readonly NbdServerOptions _options;
    private readonly NbdHandshakeTerms _terms;
    private readonly TimeProvider _time;
    private readonly ILogger<NbdServer> _logger;
    private readonly List<NbdListener> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly ConcurrentDictionary<NbdConnection, Task> _connections = new();
    private readonly CancellationTokenSource _stopped = new();
    private ITimer? _watch;
    private long _accepted;
    private bool _isDisposed;

    /// <exception cref="ArgumentException">The options do not fit together.</exception>
    public NbdServer(NbdServerOptions options, INbdExports exports, TimeProvider time, ILogger<NbdServer> logger)
    {
        if (options.Fault is { } fault)
            throw new ArgumentException(fault, nameof(options));

        (_options, _time, _logger) = (options, time, logger);
        _terms = new NbdHandshakeTerms(exports, options.Tls, MakeAuthentication(options));
    }

    /// <summary>Where clients can connect to, once the server is started.</summary>
    public IReadOnlyList<EndPoint> Endpoints => [.. _listeners.Select(l => l.Endpoint)];

    /// <summary>Listens on all endpoints, or on none where one cannot be had.</summary>
    /// <exception cref="IOException">A unix socket cannot be made.</exception>
    /// <exception cref="SocketException">An endpoint is taken, or cannot be had.</exception>
    public void Start()
    {
        try
        {
            foreach (var endpoint in _options.Endpoints)
                _listeners.Add(NbdListener.Open(endpoint));
        }
        catch
        {
            CloseListeners();
            throw;
        }

        _watch = _time.CreateTimer(_ => AbortLate(), null, Watch, Watch);
        _accepting.AddRange(_listeners.Select(AcceptAllAsync));
    }

    /// <summary>Takes no more clients and no more requests, and waits until those that are under way are answered.</summary>
    /// <param name="cancellationToken">Ends the wait; what is under way is then cut off.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopped.CancelAsync();
        await Task.WhenAll(_accepting);
        CloseListeners();

        foreach (var connection in _connections.Keys)
            connection.Stop();
        await using var cut = cancellationToken.Register(AbortAll);
        await Task.WhenAll(_connections.Values);
        if (_watch is not null)
            await _watch.DisposeAsync();
    }

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;

        _isDisposed = true;
        await StopAsync(new CancellationToken(canceled: true));
        _stopped.Dispose();
    }

    private static SslServerAuthenticationOptions MakeAuthentication(NbdServerOptions options) => options.Tls == NbdTls.Off
        ? new SslServerAuthenticationOptions()
        : new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(options.Certificate!, additionalCertificates: null),
            AllowRenegotiation = false,
        };

    private async Task AcceptAllAsync(NbdListener listener)
    {
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                Serve(await listener.AcceptAsync(_stopped.Token));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception error) when (error is SocketException or IOException)
            {
                // A client that left before it was accepted, or no file handle left for it, which passes.
                LogNotAccepted(error.Message);
                await Task.Delay(Watch, _time, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Serve(Socket socket)
    {
        if (_connections.Count >= _options.MaxConnections)
        {
            LogTooMany(_options.MaxConnections);
            socket.Dispose();
            return;
        }

        var connection = new NbdConnection(Interlocked.Increment(ref _accepted), socket, _terms, _options, _time, _logger);
        // It must be known before it runs, or it could end before it is.
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection] = ended.Task;
        _ = RunAsync(connection, ended);
    }

    private async Task RunAsync(NbdConnection connection, TaskCompletionSource ended)
    {
        await Task.Yield();
        await connection.RunAsync();
        connection.Dispose();
        _connections.TryRemove(connection, out _);
        ended.SetResult();
    }

    private void AbortLate()
    {
        foreach (var connection in _connections.Keys)
            connection.AbortIfLate();
    }

    private void AbortAll()
    {
        foreach (var connection in _connections.Keys)
            connection.Abort();
    }

    private void CloseListeners()
    {
        foreach (var listener in _listeners)
            listener.Dispose();
        _listeners.Clear();
    }

    [LoggerMessage(LogLevel.Warning, "A client was turned away, because there are {Count} already")]
    private partial void LogTooMany(int count);

    [LoggerMessage(LogLevel.Warning, "A client could not be accepted: {Reason}")]
    private partial void LogNotAccepted(string reason);
}
