namespace Vitrine.Formats.Qcow2;

/// <summary>The numbers of the images that are written here. Others have other ones.</summary>
internal static class Qcow2Clusters
{
    public const int Bits = 16;
    public const int Length = 1 << Bits;

    /// <summary>How many clusters a table of the second level maps, one entry of eight bytes each.</summary>
    public const int EntriesOfTable = Length / sizeof(ulong);

    /// <summary>A refcount has 2^4 bits.</summary>
    public const int RefcountOrder = 4;
    public const int RefcountsOfBlock = Length / sizeof(ushort);

    /// <summary>Set in an entry of an L1 or L2 table whose cluster has a refcount of exactly one.</summary>
    public const ulong UsedOnce = 1UL << 63;

    /// <summary>At least one, as some readers take a table of none for damage.</summary>
    public static long CountL1Entries(long diskLength)
    {
        const long MappedByTable = (long)EntriesOfTable * Length;
        return Math.Max(1, (diskLength + MappedByTable - 1) / MappedByTable);
    }

    public static long RoundUp(long length) => (length + Length - 1) / Length * Length;
}
