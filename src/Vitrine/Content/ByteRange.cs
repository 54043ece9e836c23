namespace Vitrine.Content;

/// <summary>The bytes of some content from <see cref="Start"/> up to but not including <see cref="End"/>.</summary>
public readonly record struct ByteRange
{
    public ByteRange(long start, long end)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        (Start, End) = (start, end);
    }

    public long Start { get; }
    public long End { get; }
    public long Length => End - Start;
}
