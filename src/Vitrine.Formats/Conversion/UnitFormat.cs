namespace Vitrine.Formats.Conversion;

/// <summary>
/// A format that keeps those units of a disk that are not all zeros, in guest order, from a fixed position on. So a file is
/// written in one pass, tables last, and which units are kept says where every byte of it is.
/// </summary>
/// <param name="diskLength">Of the disk in the content, which may be longer than the one it is made of.</param>
internal abstract class UnitFormat(long diskLength)
{
    public long DiskLength => diskLength;

    /// <summary>What is kept or left out as a whole, in bytes: a power of two.</summary>
    public abstract int UnitLength { get; }

    /// <summary>What stands before the bytes of each unit that is kept.</summary>
    public virtual ReadOnlyMemory<byte> Prefix => default;

    public abstract long PayloadStart { get; }

    /// <summary>From the start of one unit in the content to the start of the next.</summary>
    public long Pitch => Prefix.Length + UnitLength;

    /// <returns>All that stands around the units; what makes the file valid comes last.</returns>
    public abstract IReadOnlyList<Region> LayRegions(UnitMap map);

    public long PayloadEnd(UnitMap map) => PayloadStart + map.Count * Pitch;

    /// <returns>Where a unit's bytes begin in the content; negative where it is not kept.</returns>
    protected long OffsetOf(UnitMap map, long unit) => map.IndexOf(unit) is >= 0 and var index ? PayloadStart + index * Pitch : -1;

    protected long CountUnits() => (diskLength + UnitLength - 1) / UnitLength;
}
