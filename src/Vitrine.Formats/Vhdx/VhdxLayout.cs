using Vitrine.Content;

namespace Vitrine.Formats.Vhdx;

/// <summary>Where everything of a VHDX is, and how long its parts are, in bytes.</summary>
internal sealed record VhdxLayout(long DiskLength, long SectorSize, long BlockLength, VhdxRegion Bat, VhdxRegion Metadata, VhdxRegion Log)
{
    public const int MiB = 1024 * KiB;

    // What has a fixed place, all of it in the first MiB (2.2).
    public const int FirstHeader = 64 * KiB;
    public const int SecondHeader = 128 * KiB;
    public const int FirstRegionTable = 192 * KiB;
    public const int SecondRegionTable = 256 * KiB;

    /// <summary>Of a region table, and of the metadata table.</summary>
    public const int TableLength = 64 * KiB;

    /// <summary>Where the entries of a region table begin.</summary>
    public const int RegionTableHeaderLength = 16;

    /// <summary>Where the entries of the metadata table begin.</summary>
    public const int MetadataTableHeaderLength = 32;

    /// <summary>Of an entry of the block table.</summary>
    public const int EntryLength = sizeof(ulong);

    private const int KiB = 1024;

    // A bitmap block has a bit for each of so many sectors (2.4).
    private const long ChunkSectors = 1 << 23;

    public static ReadOnlySpan<byte> FileSignature => "vhdxfile"u8;
    public static ReadOnlySpan<byte> RegionTableSignature => "regi"u8;
    public static ReadOnlySpan<byte> MetadataTableSignature => "metadata"u8;

    public long Blocks => (DiskLength + BlockLength - 1) / BlockLength;

    /// <summary>After so many blocks the table has an entry for a bitmap, which only an image with a parent uses.</summary>
    public long ChunkBlocks => ChunkSectors * SectorSize / BlockLength;

    /// <summary>How many the table must have. The bitmap after the last blocks is needed with a parent only.</summary>
    public long Entries => Blocks + (Blocks - 1) / ChunkBlocks;

    public static UnsafeContentException BadGeometry(string what) => new("vhdx-bad-geometry", $"the VHDX image cannot be right: {what}.");
}
