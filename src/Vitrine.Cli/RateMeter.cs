namespace Vitrine.Cli;

/// <summary>How fast bytes move, averaged over about five seconds, and how long the rest takes.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private const double SecondsOfAverage = 5;

    private long? _last;
    private long _moved;

    /// <summary>Bytes per second.</summary>
    public double Rate { get; private set; }

    /// <param name="moved">All bytes there are; the first call tells where the transfer goes on, which is no speed.</param>
    public void Observe(long moved)
    {
        var now = time.GetTimestamp();
        if (_last is not { } last)
        {
            (_last, _moved) = (now, moved);
            return;
        }

        var seconds = time.GetElapsedTime(last, now).TotalSeconds;
        if (seconds < 0.2)
            return;

        var weight = Rate < 1 ? 1 : 1 - Math.Exp(-seconds / SecondsOfAverage);
        Rate = Math.Max(0, Rate + weight * ((moved - _moved) / seconds - Rate));
        (_last, _moved) = (now, moved);
    }

    public TimeSpan? Left(long? length) => length is { } all && Rate >= 1 && all >= _moved && (all - _moved) / Rate < 1e8
        ? TimeSpan.FromSeconds((all - _moved) / Rate)
        : null;
}
