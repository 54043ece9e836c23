using Vitrine.Content;

namespace Vitrine.Transfers;

/// <summary>Shares among all transfers of this node how many bytes a second it takes in: the bucket fills at that rate, and who reads empties it.</summary>
/// <remarks>
/// What clients and sources send comes before copies between stores, which wait while one of those does. Nobody who reads from the library is slowed.
/// </remarks>
public sealed class IncomingBandwidth(TimeProvider time)
{
    /// <summary>Longer than this nobody sleeps before he looks at the limit again, which may have been raised.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private long? _rate;
    private long _lastFill = time.GetTimestamp();

    /// <summary>Below zero by what was read and is not paid for yet: a read is never refused, the next one waits.</summary>
    private double _bytes;
    private int _importsWaiting;

    /// <summary>Bytes a second; null for no limit. Whoever waits goes by the new one within a moment.</summary>
    public void Limit(long? rate)
    {
        lock (_lock)
        {
            Fill();
            _rate = rate;
        }
    }

    /// <summary>The same bytes, at the pace that the limit leaves.</summary>
    /// <param name="isCopy">They come from another store of the library.</param>
    public Stream Pace(Stream body, bool isCopy) => new PacedStream(body, this, isCopy);

    /// <summary>Says that so many bytes were taken in, and waits until the next may be.</summary>
    /// <param name="isCopy">They come from another store of the library.</param>
    public ValueTask SpendAsync(long bytes, bool isCopy, CancellationToken cancellationToken)
    {
        Take(bytes);
        return WaitAsync(isCopy, cancellationToken);
    }

    /// <summary>Waits until nothing is owed.</summary>
    private async ValueTask WaitAsync(bool isCopy, CancellationToken cancellationToken)
    {
        if (Owed(isCopy) is null)
            return;

        if (!isCopy)
            Interlocked.Increment(ref _importsWaiting);
        try
        {
            while (Owed(isCopy) is { } sleep)
                await Task.Delay(sleep < LongestSleep ? sleep : LongestSleep, time, cancellationToken);
        }
        finally
        {
            if (!isCopy)
                Interlocked.Decrement(ref _importsWaiting);
        }
    }

    private void Take(long bytes)
    {
        lock (_lock)
            _bytes -= bytes;
    }

    /// <returns>How long until nothing is owed; null where nothing is.</returns>
    private TimeSpan? Owed(bool isCopy)
    {
        lock (_lock)
        {
            Fill();
            if (_rate is not { } rate)
                return null;
            if (isCopy && Volatile.Read(ref _importsWaiting) > 0)
                return LongestSleep;

            return _bytes >= 0 ? null : TimeSpan.FromSeconds(-_bytes / rate) + TimeSpan.FromMilliseconds(1);
        }
    }

    private void Fill()
    {
        var now = time.GetTimestamp();

        // What nobody took in a quiet hour must not come all at once: a quarter of a second's worth is kept.
        _bytes = _rate is { } rate ? Math.Min(rate * LongestSleep.TotalSeconds, _bytes + rate * time.GetElapsedTime(_lastFill, now).TotalSeconds) : 0;
        _lastFill = now;
    }

    private sealed class PacedStream(Stream inner, IncomingBandwidth bandwidth, bool isCopy) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await bandwidth.WaitAsync(isCopy, cancellationToken);
            var read = await inner.ReadAsync(buffer, cancellationToken);
            bandwidth.Take(read);
            return read;
        }
    }
}
