namespace Vitrine.Client;

/// <summary>Tries again what may pass, ever more slowly, as long as something moves now and then.</summary>
internal sealed class Patience(TimeSpan limit, TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private long _lastProgress = time.GetTimestamp();
    private TimeSpan _wait = First;

    /// <summary>Something moved: the patience is new.</summary>
    public void Renew()
    {
        _lastProgress = time.GetTimestamp();
        _wait = First;
    }

    /// <summary>Waits before the next attempt.</summary>
    /// <exception cref="LibraryClientException">The failure itself, where it will not pass or nothing moved for too long.</exception>
    public async Task WaitAsync(LibraryClientException failure, CancellationToken cancellationToken)
    {
        if (!failure.MayPass || time.GetElapsedTime(_lastProgress) >= limit)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);

        await Task.Delay(_wait, time, cancellationToken);
        _wait = _wait * 2 < Longest ? _wait * 2 : Longest;
    }

    /// <summary>Asks until there is an answer.</summary>
    public async Task<T> TryAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var answer = await ask();
                Renew();
                return answer;
            }
            catch (LibraryClientException failure)
            {
                await WaitAsync(failure, cancellationToken);
            }
        }
    }
}
