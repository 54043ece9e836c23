using System.Buffers;
using System.IO.Pipelines;
using Vitrine.Content;

namespace Vitrine.OpenStack.Content;

/// <summary>Ends reading from a pipe that gives nothing for a while. Any progress starts the time anew.</summary>
/// <remarks>
/// A pending read is ended through the pipe and not by a token, which would leave the server's body reader as if it were still
/// reading, and the rest of the body in the way of the answer.
/// </remarks>
internal sealed class IdleTimeoutStream : ReadOnlyStream
{
    private readonly PipeReader _pipe;
    private readonly TimeSpan _idle;
    private readonly CancellationTokenSource _stop;

    public IdleTimeoutStream(PipeReader pipe, TimeSpan idle, TimeProvider time)
    {
        (_pipe, _idle) = (pipe, idle);
        _stop = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _stop.Token.UnsafeRegister(static reader => ((PipeReader)reader!).CancelPendingRead(), pipe);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // Bytes that are here already need no clock.
        return _pipe.TryRead(out var result) && Take(result, buffer) is { } taken
            ? ValueTask.FromResult(taken)
            : WaitAsync(buffer, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _stop.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await using var leaving = cancellationToken.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop);
        while (true)
        {
            _stop.CancelAfter(_idle);
            var result = await _pipe.ReadAsync(CancellationToken.None);

            // What the store takes to write the bytes is not the client's standing still.
            _stop.CancelAfter(Timeout.InfiniteTimeSpan);
            cancellationToken.ThrowIfCancellationRequested();
            if (Take(result, buffer) is { } taken)
                return taken;
        }
    }

    /// <returns>How many bytes were taken, none at the end; null where there is nothing yet.</returns>
    private int? Take(in ReadResult result, Memory<byte> buffer)
    {
        var taken = result.Buffer.Slice(0, Math.Min(buffer.Length, result.Buffer.Length));
        var count = (int)taken.Length;
        taken.CopyTo(buffer.Span);

        // From here on the pipe uses the memory again, even for the sequence's own length.
        _pipe.AdvanceTo(taken.End);
        if (count > 0 || result.IsCompleted)
            return count;

        return result.IsCanceled ? throw new UploadStalledException(_idle) : null;
    }
}
