using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;
using static Vitrine.Sources.FileServers.LibCurl;

namespace Vitrine.Sources.FileServers;

/// <summary>One conversation with an FTP or SFTP server about one file: a look at it, and then, if it is wanted, its bytes.</summary>
/// <remarks>
/// libcurl speaks; it connects to nothing. Every socket that it uses was opened by <see cref="OutgoingConnector"/>: one before it
/// begins, and for FTP one for each body, to the very address that the first leads to, whatever the server says. It looks no name
/// up, knows no proxy, follows nothing, and learns a host's key from the operator's file alone.
/// It works on a thread of its own, which waits while the pipe to the reader is full.
/// </remarks>
internal sealed partial class FileServerConversation : IAsyncDisposable
{
    private const int PasswordLogin = 2 | 8; // CURLSSH_AUTH_PASSWORD, CURLSSH_AUTH_KEYBOARD
    private const int KeyLogin = 1; // CURLSSH_AUTH_PUBLICKEY
    private const int KeyIsKnown = 0; // CURLKHMATCH_OK
    private const int KeyIsOther = 1; // CURLKHMATCH_MISMATCH
    private const int TakeKey = 1; // CURLKHSTAT_FINE
    private const int RefuseKey = 2; // CURLKHSTAT_REJECT
    private const int PieceLength = 256 * 1024;
    private const int PipeLength = 1024 * 1024;

    // Replies are short; a server that goes on talking is up to something.
    private const int MaxReplies = 64 * 1024;

    // Below it are the programs of the machine itself, where no server opens a port for one file.
    private const int LowestDataPort = 1024;

    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(1);

    private readonly OutgoingConnector _connector;
    private readonly OutgoingTarget _target;
    private readonly OutgoingConnection _control;
    private readonly Action _ended;
    private readonly IPAddress _peer;
    private readonly ConcurrentDictionary<nint, OutgoingConnection> _open = [];
    private readonly CancellationTokenSource _abort = new();
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: PipeLength, resumeWriterThreshold: PipeLength / 2, useSynchronizationContext: false));
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CurlEasy _easy;
    private readonly CurlMulti _multi;
    private readonly nint _names;
    private readonly GCHandle _this;
    private nint _restart;
    private Task _working = Task.CompletedTask;
    private Exception? _fault;
    private ReadOnlyMemory<byte> _last;
    private long? _expected;
    private long _received;
    private int _replies;
    private bool _controlTaken;
    private FileLook? _look;
    private bool _rangesShown;
    private bool _hostProved;
    private int _disposed;

    private FileServerConversation(OutgoingConnector connector, OutgoingTarget target, OutgoingConnection control, Action ended)
    {
        (_connector, _target, _control, _ended) = (connector, target, control, ended);
        _peer = ((IPEndPoint)SocketOf(control).RemoteEndPoint!).Address;
        _easy = curl_easy_init();
        _multi = curl_multi_init();
        _this = GCHandle.Alloc(this);
        _names = curl_slist_append(0, $"{target.Host}:{target.Port}:{Bracketed(InnerNetworks.Unwrap(_peer))}");
    }

    /// <summary>Why the bytes ended before the file did; null where they did not.</summary>
    public Exception? FaultAtEnd { get; private set; }

    /// <param name="ended">Called once, when the conversation that came of this is over.</param>
    /// <exception cref="SourceException">The server cannot be reached, or this node has no libcurl.</exception>
    public static async Task<FileServerConversation> BeginAsync(
        OutgoingConnector connector, OutgoingTarget target, string path, FileServerLogin login, SourceOptions options, Action ended,
        CancellationToken cancellationToken)
    {
        if (!TryStart())
            throw new SourceException(SourceFault.Refused, $"This node cannot fetch by {target.Scheme}: the package libcurl4 is missing.", mayPass: false);

        var conversation = new FileServerConversation(connector, target, await connector.OpenAsync(target, cancellationToken), ended);
        try
        {
            conversation.Configure(path, login, options);
            return conversation;
        }
        catch
        {
            await conversation.DisposeAsync();
            throw;
        }
    }

    public SourceRoute FindRoute() => _control.FindRoute();

    /// <summary>Asks about the file.</summary>
    /// <exception cref="SourceException">There is no such file, or it cannot be asked about.</exception>
    public async Task<FileLook> LookAsync(CancellationToken cancellationToken)
    {
        Set(_easy, CurlOption.NoBody, 1L);
        await DoAsync(cancellationToken);
        return new FileLook(
            new FileMark(Told(CurlInfo.ContentLengthDownload), Told(CurlInfo.FileTime)), _target.IsSftp || _rangesShown, (int)Get(_easy, CurlInfo.ResponseCode));
    }

    /// <summary>Asks for the file's bytes, and comes back when they begin to come.</summary>
    /// <returns>It ends where the bytes do, for whatever reason: <see cref="FaultAtEnd"/>.</returns>
    /// <exception cref="SourceException">It is not given, or has become another since the look.</exception>
    public async Task<Stream> ReadAsync(long from, FileLook look, CancellationToken cancellationToken)
    {
        _look = look;
        _expected = look.Mark.Length - from;
        Set(_easy, CurlOption.NoBody, 0L);
        if (_target.IsSftp)
            Set(_easy, CurlOption.ResumeFromLarge, from);
        else
            ReadWhatComes(from);

        var reading = DoAsync(CancellationToken.None);
        _working = CompleteAsync(reading);
        await using (cancellationToken.UnsafeRegister(static state => ((FileServerConversation)state!).Abort(), this))
            await Task.WhenAny(_begun.Task, reading);

        cancellationToken.ThrowIfCancellationRequested();
        if (!_begun.Task.IsCompleted)
            await reading;

        return _pipe.Reader.AsStream();
    }

    /// <summary>Breaks off at once: a polite end would wait for the server's answer.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;

        Abort();
        await _working;
        _easy.Dispose();
        _multi.Dispose();
        curl_slist_free_all(_names);
        curl_slist_free_all(_restart);
        _this.Free();
        await _control.DisposeAsync();
        foreach (var connection in _open.Values)
            await connection.DisposeAsync();
        await _pipe.Reader.CompleteAsync();
        _abort.Dispose();
        _ended();
    }

    private void Configure(string path, FileServerLogin login, SourceOptions options)
    {
        Set(_easy, CurlOption.NoSignal, 1L);
        Set(_easy, CurlOption.ProtocolsStr, _target.Scheme);
        Set(_easy, CurlOption.DisallowUsernameInUrl, 1L);
        Set(_easy, CurlOption.PathAsIs, 1L);
        Set(_easy, CurlOption.NoProxy, "*");
        Set(_easy, CurlOption.Resolve, _names);
        Set(_easy, CurlOption.FtpSkipPasvIp, 1L);
        Set(_easy, CurlOption.FileTime, 1L);
        Set(_easy, CurlOption.BufferSize, (long)PieceLength);
        Set(_easy, CurlOption.ConnectTimeoutMs, (long)options.ConnectTimeout.TotalMilliseconds);
        Set(_easy, CurlOption.Url, $"{_target.Scheme}://{_target.Authority}{path}");
        if (login.User is not null)
            Set(_easy, CurlOption.Username, login.User);
        if (login.Password is not null)
            Set(_easy, CurlOption.Password, login.Password);
        if (_target.IsSftp)
            ConfigureSsh(login, options.KnownHosts!);
        SetCallbacks();
    }

    /// <summary>Has FTP's data read to their end: libcurl itself would drop, unseen, what comes beyond the length that was told.</summary>
    private void ReadWhatComes(long from)
    {
        Set(_easy, CurlOption.IgnoreContentLength, 1L);
        if (from == 0)
            return;

        // Without the length libcurl does not say it itself. It comes right before the order to send.
        _restart = curl_slist_append(0, $"REST {from}");
        Set(_easy, CurlOption.PreQuote, _restart);
    }

    private void ConfigureSsh(FileServerLogin login, string knownHosts)
    {
        Set(_easy, CurlOption.SshKnownHosts, knownHosts);
        Set(_easy, CurlOption.SshAuthTypes, login.KeyFile is null ? PasswordLogin : (long)KeyLogin);
        if (login.KeyFile is null)
            return;

        Set(_easy, CurlOption.SshPrivateKeyFile, login.KeyFile);
        Set(_easy, CurlOption.KeyPassword, "");
    }

    /// <summary>Lets libcurl do what it was set to, on a thread of its own.</summary>
    private async Task DoAsync(CancellationToken cancellationToken)
    {
        var work = Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        CurlCode code;
        await using (cancellationToken.UnsafeRegister(static state => ((FileServerConversation)state!).Abort(), this))
            code = await work;

        cancellationToken.ThrowIfCancellationRequested();
        if (_fault is not null)
            throw _fault;
        if (code != CurlCode.Ok)
            throw FileServerFailures.Of(code, Get(_easy, CurlInfo.ResponseCode), _target);
        if (_target.IsSftp && !_hostProved)
            throw FileServerFailures.Of(CurlCode.PeerFailedVerification, 0, _target);
    }

    private CurlCode Work()
    {
        if (curl_multi_add_handle(_multi, _easy) != 0)
            return CurlCode.FailedInit;

        try
        {
            while (Perform(_multi))
            {
                if (_abort.IsCancellationRequested)
                    return CurlCode.AbortedByCallback;
                Poll(_multi, LongestPoll);
            }

            return ResultOf(_multi);
        }
        finally
        {
            _ = curl_multi_remove_handle(_multi, _easy);
        }
    }

    /// <summary>Gives the reader the last piece only when all is well, so that nobody takes what is wrong for the whole.</summary>
    private async Task CompleteAsync(Task reading)
    {
        try
        {
            await reading;
            if (_expected is { } expected && _received != expected)
                throw new SourceException(SourceFault.Broken, $"{_target.Host} ended after {_received} of {expected} bytes.", mayPass: true);

            await _pipe.Writer.WriteAsync(_last, _abort.Token);
            await _pipe.Writer.CompleteAsync();
        }
        catch (Exception fault)
        {
            // As a word of the pipe itself it would overtake the bytes that are in it.
            FaultAtEnd = fault;
            await _pipe.Writer.CompleteAsync();
        }
    }

    private void Abort()
    {
        if (_abort.IsCancellationRequested)
            return;

        _abort.Cancel();
        foreach (var connection in _open.Values.Append(_control))
            Shut(connection);
        _ = curl_multi_wakeup(_multi);
    }

    private static void Shut(OutgoingConnection connection)
    {
        try
        {
            SocketOf(connection).Shutdown(SocketShutdown.Both);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It is as good as shut.
        }
    }

    private long? Told(CurlInfo info) => Get(_easy, info) is >= 0 and var value ? value : null;

    private static Socket SocketOf(OutgoingConnection connection) => ((NetworkStream)connection.Stream).Socket;

    private static string Bracketed(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();

    /// <summary>Gives libcurl the connection that is there for it, or opens the one that FTP brings a body over.</summary>
    private nint OpenSocket(IPEndPoint wanted)
    {
        if (!_controlTaken && wanted.Port == _target.Port)
        {
            _controlTaken = true;
            return Lend(_control);
        }

        if (_target.IsSftp || !InnerNetworks.Unwrap(wanted.Address).Equals(InnerNetworks.Unwrap(_peer)) || wanted.Port < LowestDataPort)
            throw new SourceException(
                SourceFault.Refused, $"{_target.Host} names another place for its data, where it may not send us.", mayPass: false);

        return Lend(_connector.OpenBesideAsync(_control, _target, wanted.Port, _abort.Token).GetAwaiter().GetResult());
    }

    private nint Lend(OutgoingConnection connection)
    {
        var socket = SocketOf(connection).Handle;
        _open[socket] = connection;
        return socket;
    }

    private void CloseSocket(nint socket)
    {
        if (_open.TryRemove(socket, out var connection))
            connection.Stream.Dispose();
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        if (_look is null)
            return;

        if (_target.IsSftp && !_hostProved)
            throw FileServerFailures.Of(CurlCode.PeerFailedVerification, 0, _target);

        if (_received == 0 && Told(CurlInfo.FileTime) != _look.Mark.Modified)
            throw new SourceException(SourceFault.Broken, $"The file at {_target.Host} was changed while it was asked for.", mayPass: true);

        _begun.TrySetResult();
        _received += bytes.Length;
        if (_received > _expected)
            throw new SourceException(SourceFault.Broken, $"{_target.Host} sends more than the {_expected} bytes that it told of.", mayPass: false);

        if (_received == _expected)
        {
            _last = bytes.ToArray();
            return;
        }

        bytes.CopyTo(_pipe.Writer.GetSpan(bytes.Length));
        _pipe.Writer.Advance(bytes.Length);
        var flush = _pipe.Writer.FlushAsync(_abort.Token);
        if (!flush.IsCompleted)
            flush.AsTask().GetAwaiter().GetResult();
    }

    private void Hear(ReadOnlySpan<byte> reply)
    {
        _replies += reply.Length;
        if (_replies > MaxReplies)
            throw new SourceException(SourceFault.Broken, $"{_target.Host} talks more than is listened to.", mayPass: false);

        // libcurl's own line, after the server has taken a REST.
        if (reply.StartsWith("Accept-ranges: bytes"u8))
            _rangesShown = true;
    }

    private int Judge(ReadOnlySpan<byte> key, int match)
    {
        _hostProved = match == KeyIsKnown;
        if (_hostProved)
            return TakeKey;

        var fingerprint = Convert.ToBase64String(SHA256.HashData(key)).TrimEnd('=');
        _fault = new SourceException(
            SourceFault.HostKey,
            match == KeyIsOther
                ? $"{_target.Host} shows a host key, SHA256:{fingerprint}, that is not the one known of it: somebody may stand between."
                : $"{_target.Host} shows a host key, SHA256:{fingerprint}, that is not among the known hosts.",
            mayPass: false);
        return RefuseKey;
    }
}

/// <summary>What a server says about a file.</summary>
/// <param name="CanResume">It gives the file from any offset.</param>
/// <param name="Reply">The number of its last reply; 0 for SFTP, where that means success.</param>
internal sealed record FileLook(FileMark Mark, bool CanResume, int Reply);
