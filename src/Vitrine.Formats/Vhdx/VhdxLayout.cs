using System.Buffers.Binary;
using Vitrine.Content;

namespace Vitrine.Formats.Vhdx;

/// <summary>Where everything of a VHDX is, and how long its parts are, in bytes.</summary>
internal sealed record VhdxLayout(long DiskLength, long SectorSize, long BlockLength, VhdxRegion Bat, VhdxRegion Metadata, VhdxRegion Log)
{
    public const long MiB = 1024 * 1024;

    /// <summary>Of an entry of the block table.</summary>
    public const int EntryLength = sizeof(ulong);

    // A bitmap block has a bit for each of so many sectors (2.4).
    private const long ChunkSectors = 1 << 23;

    public long Blocks => (DiskLength + BlockLength - 1) / BlockLength;

    /// <summary>After so many blocks the table has an entry for a bitmap, which only an image with a parent uses.</summary>
    public long ChunkBlocks => ChunkSectors * SectorSize / BlockLength;

    /// <summary>How many the table must have. The bitmap after the last blocks is needed with a parent only.</summary>
    public long Entries => Blocks + (Blocks - 1) / ChunkBlocks;

    public static UnsafeContentException BadGeometry(string what) => new("vhdx-bad-geometry", $"the VHDX image cannot be right: {what}.");
}

/// <summary>A range of the file that is kept for one thing.</summary>
internal readonly record struct VhdxRegion(Guid Id, long Offset, long Length)
{
    public long End => Offset + Length;

    /// <summary>Whether it is where a region may be: in whole MiB, after the first.</summary>
    public bool IsAligned =>
        Offset is >= VhdxLayout.MiB and <= Refusal.MaxVirtualSize && Offset % VhdxLayout.MiB == 0 && Length >= VhdxLayout.MiB && Length % VhdxLayout.MiB == 0;

    public bool Overlaps(VhdxRegion other) => Offset < other.End && other.Offset < End;

    /// <param name="entry">Of a region table.</param>
    public static VhdxRegion Read(ReadOnlySpan<byte> entry) => new(
        new Guid(entry[..16]), (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]), long.MaxValue),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]));
}
