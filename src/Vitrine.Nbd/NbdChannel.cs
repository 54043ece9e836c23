using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd;

/// <summary>The bytes to and from one client, in plain or over TLS. One reader and one writer at a time.</summary>
internal sealed class NbdChannel : IAsyncDisposable
{
    // Some hundred requests, or the longest option.
    private const int BufferLength = 32 * 1024;

    private const long NotSending = long.MinValue;

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
    private Stream _stream;
    private int _start;
    private int _end;
    private volatile bool _isEnded;
    private long _lastReceived;
    private long _sendingSince = NotSending;

    public NbdChannel(Socket socket, TimeProvider time)
    {
        (_socket, _time) = (socket, time);
        _stream = new NetworkStream(socket, ownsSocket: true);
        _lastReceived = time.GetTimestamp();
    }

    public bool IsSecure => _stream is SslStream;

    /// <summary>What has arrived and was not advanced over. Good until more is filled in.</summary>
    public ReadOnlyMemory<byte> Unread => _buffer.AsMemory(_start, _end - _start);

    /// <summary>For how long nothing has come from the client.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _lastReceived));

    /// <summary>For how long the client has not taken what is being sent to it.</summary>
    public TimeSpan Stall => Volatile.Read(ref _sendingSince) is var since && since == NotSending ? TimeSpan.Zero : _time.GetElapsedTime(since);

    public void Advance(int count) => _start += count;

    /// <summary>Waits until at least so many bytes are unread.</summary>
    /// <returns>False where the client ends before.</returns>
    public ValueTask<bool> FillAsync(int count) => _end - _start >= count ? ValueTask.FromResult(true) : FillFromStreamAsync(count);

    /// <summary>Reads over bytes that nobody wants.</summary>
    /// <returns>False where the client ends before.</returns>
    public async ValueTask<bool> SkipAsync(long count)
    {
        while (count > 0)
        {
            if (!await FillAsync(1))
                return false;

            var skipped = (int)Math.Min(count, _end - _start);
            Advance(skipped);
            count -= skipped;
        }

        return true;
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        Volatile.Write(ref _sendingSince, _time.GetTimestamp());
        // The connection is closed to end a write that hangs; a token of its own would be a registration for each.
        await _stream.WriteAsync(bytes, CancellationToken.None);
        Volatile.Write(ref _sendingSince, NotSending);
    }

    /// <summary>Says the last word in plain, then goes over to TLS.</summary>
    /// <exception cref="NbdProtocolException">
    /// The client has already sent more. Whoever put it there was not known yet, so it must never be taken for the client's.
    /// </exception>
    public async Task SecureAsync(
        ReadOnlyMemory<byte> lastPlain, SslServerAuthenticationOptions authentication, CancellationToken cancellationToken)
    {
        if (!Unread.IsEmpty)
            throw new NbdProtocolException("The client sent plain bytes where TLS was to begin.");

        await WriteAsync(lastPlain);
        var secure = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = secure;
        await secure.AuthenticateAsServerAsync(authentication, cancellationToken);
    }

    /// <summary>Makes the channel look as if the client had ended, soon; what is to be sent still goes out.</summary>
    public void StopReceiving()
    {
        _isEnded = true;
        try
        {
            // Wakes the reader. Over TCP, what arrives later could still be read.
            _socket.Shutdown(SocketShutdown.Receive);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }

    /// <summary>Ends everything at once, also what is being read or sent.</summary>
    public void Abort() => _socket.Dispose();

    /// <summary>Tells a client of TLS that nothing was cut off. It may be gone.</summary>
    public async ValueTask SayGoodbyeAsync()
    {
        if (_stream is not SslStream secure)
            return;

        Volatile.Write(ref _sendingSince, _time.GetTimestamp());
        await secure.ShutdownAsync();
        Volatile.Write(ref _sendingSince, NotSending);
    }

    /// <remarks>Nothing may be read or written any more.</remarks>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    private async ValueTask<bool> FillFromStreamAsync(int count)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
        {
            if (_isEnded)
                return false;

            var received = await _stream.ReadAsync(_buffer.AsMemory(_end), CancellationToken.None);
            if (received == 0)
                return false;

            Volatile.Write(ref _lastReceived, _time.GetTimestamp());
            _end += received;
        }

        return true;
    }
}
