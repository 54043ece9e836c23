namespace Vitrine.Formats.Vhd;

/// <summary>Where everything of a VHD is that grows.</summary>
/// <param name="HeaderOffset">Of the dynamic header, in bytes.</param>
/// <param name="TableOffset">Of the block table, in bytes.</param>
/// <param name="TableEntries">How many blocks the table can name.</param>
/// <param name="BlockLength">In bytes, without the bitmap before it.</param>
internal readonly record struct VhdLayout(VhdFooter Footer, long HeaderOffset, long TableOffset, long TableEntries, long BlockLength)
{
    public const int SectorSize = 512;

    /// <summary>Of the bitmap that precedes each block: a bit a sector, in whole sectors.</summary>
    public long BitmapLength => (BlockLength / SectorSize + 8 * SectorSize - 1) / (8 * SectorSize) * SectorSize;
}
