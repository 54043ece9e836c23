using Vitrine.Content;
using Vitrine.Transfers;

namespace Vitrine.Sources;

/// <summary>A body that ends only where it should: one that stops or stalls before is a failure.</summary>
/// <param name="host">Who sends it, for messages.</param>
/// <param name="expected">How many bytes have to come; null where the end of the connection is the end of the body.</param>
/// <param name="faultAtEnd">What is wrong with the whole, asked where the inner stream ends and before the last bytes are given.</param>
internal sealed class SourceBody(
    Stream inner, string host, long? expected, TimeSpan idleTime, TimeProvider time, SourceMeter meter, Func<Exception?>? faultAtEnd = null) : ReadOnlyStream
{
    private readonly CancellationTokenSource _stalled = new(Timeout.InfiniteTimeSpan, time);
    private long _received;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // What was announced is all there is; a connection that is then held open would only make us wait.
        var wanted = buffer[..(int)Math.Min(buffer.Length, (expected ?? long.MaxValue) - _received)];
        if (wanted.Length == 0)
            return 0;

        var count = await ReceiveAsync(wanted, cancellationToken);
        if ((count == 0 || _received + count == expected) && faultAtEnd?.Invoke() is { } fault)
            throw fault;
        if (count == 0 && expected is { } all)
            throw new SourceException(SourceFault.Broken, $"{host} ended after {_received} of {all} bytes.", mayPass: true);

        _received += count;
        meter.Received(count);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _stalled.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stalled.Token);
        try
        {
            // The wait is for the source alone: the time in which the reader does something else is not the source's fault.
            _stalled.CancelAfter(idleTime);
            var count = await inner.ReadAsync(buffer, linked.Token);
            _stalled.CancelAfter(Timeout.InfiniteTimeSpan);
            return count;
        }
        catch (OperationCanceledException) when (_stalled.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new SourceException(SourceFault.Stalled, $"{host} sent nothing for {idleTime.TotalSeconds:0.#} s.", mayPass: true);
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            throw new SourceException(SourceFault.Broken, $"The connection to {host} broke after {_received} bytes.", mayPass: true);
        }
    }
}
