using System.Numerics;

namespace Vitrine.Formats.Conversion;

/// <summary>Which units of a disk are kept, and so which number each has among those that are. Filled in ascending order.</summary>
/// <remarks>
/// One bit a unit, in pages; a page without any is not there. For 64 KiB units that is 2.6 MiB for each TiB that has data all
/// over. A page covers as many units as a table of qcow2 maps with 64 KiB clusters, so that the pages are its tables.
/// </remarks>
internal sealed class UnitMap
{
    public const int PageUnits = 8192;

    private const int WordBits = 64;

    private readonly List<Page> _pages = [];

    /// <summary>How many units are kept.</summary>
    public long Count { get; private set; }

    /// <summary>Numbers of the pages that have a unit that is kept, in ascending order.</summary>
    public IReadOnlyList<long> PageNumbers => _pages.ConvertAll(p => p.Number);

    /// <param name="unit">Greater than each that was added before.</param>
    public void Add(long unit)
    {
        var (number, inPage) = Math.DivRem(unit, PageUnits);
        if (_pages.Count == 0 || _pages[^1].Number < number)
            _pages.Add(new Page(number, Count));

        _pages[^1].Add((int)inPage);
        Count++;
    }

    /// <returns>The unit's number among those that are kept; negative where it is not one of them.</returns>
    public long IndexOf(long unit)
    {
        var (number, inPage) = Math.DivRem(unit, PageUnits);
        var page = Find(number, p => p.Number);
        return page is not null && page.Number == number ? page.IndexOf((int)inPage) : -1;
    }

    /// <param name="index">A number among the units that are kept.</param>
    public long UnitAt(long index) => Find(index, p => p.First)!.UnitAt(index);

    /// <returns>The last page whose key is not greater; null where there is none.</returns>
    private Page? Find(long value, Func<Page, long> key)
    {
        var (low, high) = (0, _pages.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = key(_pages[middle]) <= value ? (middle + 1, high) : (low, middle);
        }

        return low == 0 ? null : _pages[low - 1];
    }

    private sealed class Page(long number, long first)
    {
        private readonly ulong[] _words = new ulong[PageUnits / WordBits];

        /// <summary>For each word that is not empty, how many units are kept in the words before it.</summary>
        private readonly ushort[] _before = new ushort[PageUnits / WordBits];
        private ushort _count;

        public long Number => number;

        /// <summary>How many units are kept in all pages before.</summary>
        public long First => first;

        public void Add(int unit)
        {
            var word = unit / WordBits;
            if (_words[word] == 0)
                _before[word] = _count;

            _words[word] |= Bit(unit);
            _count++;
        }

        public long IndexOf(int unit)
        {
            var word = _words[unit / WordBits];
            return (word & Bit(unit)) == 0 ? -1 : first + _before[unit / WordBits] + BitOperations.PopCount(word & (Bit(unit) - 1));
        }

        public long UnitAt(long index)
        {
            var inPage = index - first;
            var at = _words.Length - 1;
            while (_words[at] == 0 || _before[at] > inPage)
                at--;

            var word = _words[at];
            for (var skipped = _before[at]; skipped < inPage; skipped++)
                word &= word - 1;

            return number * PageUnits + at * WordBits + BitOperations.TrailingZeroCount(word);
        }

        private static ulong Bit(int unit) => 1UL << unit % WordBits;
    }
}
