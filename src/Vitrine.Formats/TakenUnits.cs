namespace Vitrine.Formats;

/// <summary>Finds out whether two things lie at one place of content, in bounded memory.</summary>
/// <remarks>
/// It holds a bit for each unit of a window. Whoever checks takes everything that the tables name, once for each window:
/// <code>
/// do
/// {
///     … if (!taken.TryTake(first, count)) throw …
/// }
/// while (taken.MoveOn());
/// </code>
/// </remarks>
/// <param name="units">How many units the content has.</param>
/// <param name="window">How many units are looked at together; 32 MiB of bits by default, or 128 GiB of sectors.</param>
internal sealed class TakenUnits(long units, long window = 1L << 28)
{
    private const int WordBits = 64;

    private readonly ulong[] _words = new ulong[(Math.Min(units, window) + WordBits - 1) / WordBits];
    private long _start;

    /// <summary>Whether nothing was taken in an earlier window, so that what needs to be looked at once is looked at now.</summary>
    public bool IsFirstWindow => _start == 0;

    /// <returns>False where the last window is done.</returns>
    public bool MoveOn()
    {
        if (_start >= units - window)
            return false;

        _start += window;
        Array.Clear(_words);
        return true;
    }

    /// <summary>Whether a range touches the window; the others need not be taken.</summary>
    public bool IsInWindow(long first, long count) => first < _start + window && first + count > _start;

    /// <returns>False where part of the range is taken already.</returns>
    public bool TryTake(long first, long count)
    {
        var from = Math.Max(first - _start, 0);
        var to = Math.Min(first + count - _start, Math.Min(window, units - _start));
        var isFree = true;
        while (from < to)
        {
            var bit = (int)(from % WordBits);
            var bits = (int)Math.Min(WordBits - bit, to - from);
            var mask = ulong.MaxValue >> (WordBits - bits) << bit;
            ref var word = ref _words[from / WordBits];
            isFree &= (word & mask) == 0;
            word |= mask;
            from += bits;
        }

        return isFree;
    }
}
