using System.Buffers.Binary;

namespace Vitrine.FormatTests.Fuzzing;

/// <summary>A sound image that is changed, tried, and made sound again: no mutant costs a copy.</summary>
internal sealed class FuzzSeed
{
    private const int MostChanges = 5;

    // One mutant in so many is cut short.
    private const int CutEvery = 8;

    // What a count, an offset or a length is rarely tested with.
    private static readonly ulong[] Corners =
        [0, 1, 2, 511, 512, 4096, 0x7fff, 0xffff, 0x0001_0000, 0x7fff_ffff, 0x8000_0000, uint.MaxValue, 1UL << 32, 1UL << 40, 1UL << 60, long.MaxValue, 1UL << 63, ulong.MaxValue];

    private readonly byte[] _sound;
    private readonly byte[] _mutant;
    private readonly (int Start, int Length)[] _ranges;
    private readonly Action<byte[]>? _repair;

    /// <param name="ranges">Where the image has its tables and headers; mutants differ there, and whatever a repair changes is there.</param>
    /// <param name="repair">Makes checksums right again in every other mutant, as they would keep the rest from being read.</param>
    public FuzzSeed(byte[] image, (int Start, int Length)[] ranges, Action<byte[]>? repair = null)
    {
        (_sound, _mutant, _ranges, _repair) = (image, [.. image], ranges, repair);
    }

    /// <summary>The image with a few changes, good until the next.</summary>
    public ReadOnlyMemory<byte> Mutate(ref Dice dice)
    {
        foreach (var (start, length) in _ranges)
            _sound.AsSpan(start, length).CopyTo(_mutant.AsSpan(start));

        for (var count = 1 + dice.Next(MostChanges); count > 0; count--)
        {
            var (start, length) = _ranges[dice.Next(_ranges.Length)];
            Change(_mutant.AsSpan(start, length), ref dice);
        }

        if (dice.Next(2) == 0)
            _repair?.Invoke(_mutant);

        return _mutant.AsMemory(0, dice.Next(CutEvery) == 0 ? dice.Next(_mutant.Length) : _mutant.Length);
    }

    private static void Change(Span<byte> range, ref Dice dice)
    {
        var at = dice.Next(range.Length);
        switch (dice.Next(8))
        {
            case 0:
                range[at] ^= (byte)(1 << dice.Next(8));
                break;
            case 1:
                range[at] = (byte)dice.Next(256);
                break;
            case 2:
                range[at]++;
                break;
            case 3:
                range[at]--;
                break;
            case 4:
                range.Slice(at, Math.Min(8, range.Length - at)).Fill(dice.Next(2) == 0 ? (byte)0 : (byte)0xff);
                break;
            case 5:
                // An entry of a table that is another's.
                var from = dice.Next(range.Length) / 4 * 4;
                var length = Math.Min(4 << dice.Next(3), range.Length - Math.Max(from, at / 4 * 4));
                range.Slice(from, length).CopyTo(range[(at / 4 * 4)..]);
                break;
            default:
                PutCorner(range, at, ref dice);
                break;
        }
    }

    private static void PutCorner(Span<byte> range, int at, ref Dice dice)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        var corner = Corners[dice.Next(Corners.Length)] + (ulong)dice.Next(3) - 1;
        var width = 2 << dice.Next(3);
        if (dice.Next(2) == 0)
            BinaryPrimitives.WriteUInt64LittleEndian(number, corner);
        else
            BinaryPrimitives.WriteUInt64BigEndian(number, corner << 8 * (sizeof(ulong) - width));

        at = at / 2 * 2;
        number[..Math.Min(width, range.Length - at)].CopyTo(range[at..]);
    }
}
