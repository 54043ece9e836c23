using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Vitrine.Server.Serving;

/// <summary>Sends pieces of files on a socket, one after the other, by sendfile(2).</summary>
internal sealed class FileSending(Socket socket) : SocketAsyncEventArgs(true), IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _done = new() { RunContinuationsAsynchronously = true };

    /// <param name="file">Opened for asynchronous use, as the platform asks.</param>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public ValueTask SendAsync(FileStream file, long offset, int count)
    {
        _done.Reset();
        SendPacketsElements = [new SendPacketsElement(file, offset, count)];
        if (!socket.SendPacketsAsync(this))
            OnCompleted(this);

        return new ValueTask(this, _done.Version);
    }

    protected override void OnCompleted(SocketAsyncEventArgs e)
    {
        if (SocketError is SocketError.Success)
            _done.SetResult(true);
        else
            _done.SetException(new SocketException((int)SocketError));
    }

    void IValueTaskSource.GetResult(short token) => _done.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);
}
