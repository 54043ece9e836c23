namespace Vitrine.FormatTests.Fuzzing;

/// <summary>Random numbers of one execution, which are always the same for its number, so that it can be repeated alone.</summary>
/// <remarks>SplitMix64 (Steele, Lea, Flood 2014): every number is a good seed, and beginning costs nothing.</remarks>
internal struct Dice(ulong seed)
{
    private ulong _state = seed * 0xd1b5_4a32_d192_ed03;

    /// <returns>From 0 up to but not including <paramref name="end"/>.</returns>
    public int Next(int end) => (int)(Next() % (uint)end);

    public ulong Next()
    {
        _state += 0x9e37_79b9_7f4a_7c15;
        var mixed = (_state ^ _state >> 30) * 0xbf58_476d_1ce4_e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d0_49bb_1331_11eb;
        return mixed ^ mixed >> 31;
    }
}
