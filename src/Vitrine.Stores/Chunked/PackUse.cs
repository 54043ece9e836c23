using System.Numerics;

namespace Vitrine.Stores.Chunked;

/// <summary>Which parts of a pack are referred to: by nobody, by one content, or by several.</summary>
/// <remarks>
/// A pack's plain space is looked at in cells of the length of a block. A cell of which any byte is referred to counts as a whole, since with few
/// exceptions blocks and cells are the same. Three bits a cell: 96 MiB for a tebibyte.
/// </remarks>
internal sealed class PackUse
{
    private const int CellLength = PackFormat.BlockLength;
    private const int WordBits = 64;

    private readonly IReadOnlyList<SegmentEntry> _segments;
    private readonly long _packLength;
    private readonly uint _plainLength;
    private readonly ulong[] _once;
    private readonly ulong[] _often;
    private readonly ulong[] _current;

    /// <param name="packLength">Of the whole object, in bytes.</param>
    public PackUse(IReadOnlyList<SegmentEntry> segments, long packLength)
    {
        (_segments, _packLength) = (segments, packLength);
        _plainLength = segments is [.., var last] ? last.PlainEnd : 0;
        var words = (CellCount + WordBits - 1) / WordBits;
        (_once, _often, _current) = (new ulong[words], new ulong[words], new ulong[words]);
    }

    public bool IsUsed => _once.AsSpan().ContainsAnyExcept(0ul);

    /// <summary>What part of it is referred to, between 0 and 1.</summary>
    public double UsedPart => CellCount == 0 ? 0 : _once.Sum(w => (double)BitOperations.PopCount(w)) / CellCount;

    private int CellCount => (int)((_plainLength + (long)CellLength - 1) / CellLength);

    /// <summary>Says that the content that is being looked at refers to a range.</summary>
    /// <returns>False where the pack has no such range.</returns>
    public bool Mark(uint offset, long length)
    {
        if (offset + length > _plainLength)
            return false;

        for (var cell = (int)(offset / CellLength); cell <= (int)((offset + length - 1) / CellLength); cell++)
            _current[cell / WordBits] |= 1ul << cell % WordBits;

        return true;
    }

    /// <summary>Ends the look at a content.</summary>
    public void Fold()
    {
        for (var i = 0; i < _current.Length; i++)
        {
            _often[i] |= _once[i] & _current[i];
            _once[i] |= _current[i];
            _current[i] = 0;
        }
    }

    /// <summary>What the content that is being looked at takes of the pack, and ends the look at it.</summary>
    public (long Unique, long Shared) TakeCurrent()
    {
        var sums = (SumOf(i => _current[i] & ~_often[i]), SumOf(i => _current[i] & _often[i]));
        Array.Clear(_current);
        return sums;
    }

    /// <summary>How many of the pack's bytes are there for one content each, for several, and for none. They add up to its length.</summary>
    public (long Unique, long Shared, long Unused) Sums()
    {
        var (unique, shared) = (SumOf(i => _once[i] & ~_often[i]), SumOf(i => _often[i]));
        return (unique, shared, _packLength - unique - shared);
    }

    private long SumOf(Func<int, ulong> word)
    {
        var sum = 0L;
        for (var i = 0; i < _once.Length; i++)
        {
            for (var bits = word(i); bits != 0; bits &= bits - 1)
                sum += WeightOf(i * WordBits + BitOperations.TrailingZeroCount(bits));
        }

        return sum;
    }

    // A cell's part of the pack, its tables included, so that the parts of all cells are the pack to the byte.
    private long WeightOf(int cell) =>
        PositionOf(Math.Min((cell + 1L) * CellLength, _plainLength)) - PositionOf((long)cell * CellLength);

    private long PositionOf(long plain)
    {
        if (plain == _plainLength)
            return _packLength;

        var segment = _segments[ExtentReader.FindSegment(_segments, (uint)plain)];
        var stored = segment.Offset + (plain - segment.PlainStart) * segment.StoredLength / segment.PlainLength;
        return plain == 0 ? 0 : (long)((Int128)stored * _packLength / _segments[^1].End);
    }
}
