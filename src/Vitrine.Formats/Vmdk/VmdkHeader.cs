using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Content;

namespace Vitrine.Formats.Vmdk;

/// <summary>The first sector of a sparse VMDK, and the footer of one whose grain directory stands at the end.</summary>
/// <remarks>
/// Every field little-endian, offsets and lengths in sectors of 512 bytes:
/// <code>
///   0  magic  KDMV                    4  version: 1 to 3           8  flags
///  12  capacity (8)                  20  grain size (8)           28  descriptor offset (8)
///  36  descriptor length (8)         44  entries of a grain table
///  48  second grain directory (8)    56  grain directory (8)      64  overhead (8)
///  72  unclean shutdown (1)          73  \n, space, \r, \n        77  compression: 0 none, 1 deflate (2)
/// </code>
/// </remarks>
internal readonly record struct VmdkHeader(
    uint Version, uint Flags, ulong Capacity, ulong GrainSize, ulong DescriptorOffset, ulong DescriptorLength,
    uint TableEntries, ulong SecondDirectory, ulong GrainDirectory, ulong Overhead, uint Newlines, ushort Compression)
{
    public const int Length = 79;
    public const int SectorSize = 512;

    /// <summary>A grain directory that stands where the footer says.</summary>
    public const ulong AtEnd = ulong.MaxValue;

    private const uint ChecksNewlines = 1 << 0;
    private const uint SecondDirectoryFlag = 1 << 1;
    private const uint ZeroGrainsFlag = 1 << 2;
    private const uint CompressedFlag = 1 << 16;
    private const uint MarkersFlag = 1 << 17;
    private const uint KnownFlags = ChecksNewlines | SecondDirectoryFlag | ZeroGrainsFlag | CompressedFlag | MarkersFlag;

    private const uint GoodNewlines = 0x0a0d_200a;

    // 4 MiB. A grain that is compressed is held whole; all writers make grains of 64 KiB.
    private const ulong MostCompressedSectors = 8192;

    /// <summary>Whether it stood at the end, as it does in an image that was written in one pass.</summary>
    public bool IsFooter { get; init; }

    public bool HasSecondDirectory => (Flags & SecondDirectoryFlag) != 0 && SecondDirectory != GrainDirectory;

    public bool HasZeroGrains => (Flags & ZeroGrainsFlag) != 0;

    public bool IsCompressed => (Flags & CompressedFlag) != 0;

    /// <summary>Of the guest's disk, in bytes.</summary>
    public long DiskLength => (long)Capacity * SectorSize;

    /// <summary>In bytes.</summary>
    public long GrainLength => (long)GrainSize * SectorSize;

    public long Grains => (long)((Capacity + GrainSize - 1) / GrainSize);

    /// <summary>How many grain tables the grain directory names.</summary>
    public long Tables => (Grains + TableEntries - 1) / TableEntries;

    /// <summary>The first sector that can hold anything but the header and the descriptor.</summary>
    public long FirstFreeSector => (long)(DescriptorOffset + DescriptorLength);

    public static VmdkHeader Read(ReadOnlySpan<byte> bytes) => new(
        Version: BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
        Flags: BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
        Capacity: BinaryPrimitives.ReadUInt64LittleEndian(bytes[12..]),
        GrainSize: BinaryPrimitives.ReadUInt64LittleEndian(bytes[20..]),
        DescriptorOffset: BinaryPrimitives.ReadUInt64LittleEndian(bytes[28..]),
        DescriptorLength: BinaryPrimitives.ReadUInt64LittleEndian(bytes[36..]),
        TableEntries: BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..]),
        SecondDirectory: BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]),
        GrainDirectory: BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]),
        Overhead: BinaryPrimitives.ReadUInt64LittleEndian(bytes[64..]),
        Newlines: BinaryPrimitives.ReadUInt32LittleEndian(bytes[73..]),
        Compression: BinaryPrimitives.ReadUInt16LittleEndian(bytes[77..]));

    public static bool IsIn(ReadOnlySpan<byte> bytes) => bytes.StartsWith("KDMV"u8);

    public static UnsafeContentException BadGeometry(string what) => new("vmdk-bad-geometry", $"the VMDK image cannot be right: {what}.");

    public void Check()
    {
        if (Version is < 1 or > 3 || (Flags & ~KnownFlags) != 0)
            throw Incompatible($"needs features that are not known here (version {Version}, flags 0x{Flags:x})");
        if ((Flags & ChecksNewlines) != 0 && Newlines != GoodNewlines)
            throw new UnsafeContentException("vmdk-damaged", "the VMDK image was altered on its way by a transfer in text mode.");
        if (Compression > 1 || Compression != 0 != IsCompressed)
            throw Incompatible($"names a compression that is not known here ({Compression})");
        if (IsCompressed != ((Flags & MarkersFlag) != 0))
            throw Incompatible("has compressed grains without markers, or markers without compressed grains");
        if (Capacity is 0 or > Refusal.MaxVirtualSize / SectorSize)
            throw BadGeometry($"its disk has {Capacity} sectors");
        if (!BitOperations.IsPow2(GrainSize) || GrainSize is < 8 or > 0x20_0000 || (IsCompressed && GrainSize > MostCompressedSectors))
            throw BadGeometry($"its grains have {GrainSize} sectors");
        if (TableEntries is 0 or > 512)
            throw BadGeometry($"its grain tables have {TableEntries} entries");
        if (GrainDirectory == 0)
            throw BadGeometry("it has no grain directory");
    }

    /// <summary>Refuses a grain directory that is not whole inside the content.</summary>
    public void CheckDirectories(long length)
    {
        var (tables, sectors) = ((ulong)Tables, (ulong)length / SectorSize);
        if (!Holds(GrainDirectory) || (HasSecondDirectory && !Holds(SecondDirectory)))
            throw Refusal.Truncated("VMDK");

        bool Holds(ulong directory) => directory < sectors && tables <= (sectors - directory) * SectorSize / sizeof(uint);
    }

    private static UnsafeContentException Incompatible(string what) => new("vmdk-incompatible-features", $"the VMDK image {what}.");
}
