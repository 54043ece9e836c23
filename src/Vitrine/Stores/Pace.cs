namespace Vitrine.Stores;

/// <summary>Keeps work down to so many bytes a second, on the average; null for no bound.</summary>
public sealed class Pace(long? rate, TimeProvider time)
{
    // Shorter waits cost more than they are worth; what is left of them is waited for later.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(20);

    private readonly long _began = time.GetTimestamp();
    private long _bytes;

    /// <summary>Waits as long as so many bytes more are too many.</summary>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _bytes += bytes;
        if (rate is not { } most)
            return;

        var ahead = TimeSpan.FromSeconds((double)_bytes / most) - time.GetElapsedTime(_began);
        if (ahead >= ShortestWait)
            await Task.Delay(ahead, time, cancellationToken);
    }
}
