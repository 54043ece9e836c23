using System.Buffers.Binary;

namespace Vitrine.Formats.Iso9660;

/// <summary>One sector that says what is on a medium: ECMA-119, 8; Joliet's is a supplementary one with an escape sequence of UCS-2.</summary>
/// <remarks>
/// Numbers of eight bytes are written twice, little-endian and then big-endian; readers go by the first:
/// <code>
///    0  type              1  CD001                 6  version: 1
///    8  system (32)      40  label (32)           80  sectors of the volume (8)       88  escape sequences (32)
///  120  volumes (4)     124  number of it (4)    128  length of a sector (4)         132  length of a path table (8)
///  140  path table, little-endian numbers, and a copy (8)    148  path table, big-endian numbers, and a copy (8)
///  156  directory record of the root (34)        190  volume set (128)
///  318  publisher (128) 446  preparer (128)      574  application (128)              702  three names of files (111)
///  813  created (17)    830  changed (17)        847  expires (17)                   864  effective (17)   881  version: 1
/// </code>
/// A boot record, as El Torito 1.0 draws it (2.0), has these in place of the rest:
/// <code>
///    7  EL TORITO SPECIFICATION (32)              71  sector of the boot catalogue, little-endian
/// </code>
/// </remarks>
internal sealed record VolumeDescriptor(
    DescriptorType Type, string? Label, bool IsJoliet, ushort SectorLength, DirectoryRecord? Root, uint? BootCatalogueSector)
{
    public const int SectorSize = 2048;

    /// <summary>Where the set of descriptors begins: after sixteen sectors that are the producer's.</summary>
    public const long FirstOffset = 16 * SectorSize;

    /// <summary>How many of the first bytes tell a descriptor from something else.</summary>
    public const int IdentifierLength = 6;

    /// <summary>No set has more: a handful is usual, and a set without its end must not be followed for ever.</summary>
    public const int MostInSet = 64;

    private const int LabelOffset = 40;
    private const int LabelLength = 32;
    private const int EscapesOffset = 88;
    private const int SectorLengthOffset = 128;
    private const int RootOffset = 156;
    private const int BootSystemOffset = 7;
    private const int BootCatalogueOffset = 71;

    public static bool IsIn(ReadOnlySpan<byte> sector) => sector[1..].StartsWith("CD001"u8);

    /// <param name="sector">A whole one, of which <see cref="IsIn"/> is true.</param>
    public static VolumeDescriptor Read(ReadOnlySpan<byte> sector)
    {
        var type = (DescriptorType)sector[0];
        var isVolume = type is DescriptorType.Primary or DescriptorType.Supplementary;
        var isJoliet = type is DescriptorType.Supplementary && IsUcs2(sector[EscapesOffset..]);
        return new VolumeDescriptor(
            type,
            isVolume ? VolumeLabel.Read(sector.Slice(LabelOffset, LabelLength), isJoliet) : null,
            isJoliet,
            BinaryPrimitives.ReadUInt16LittleEndian(sector[SectorLengthOffset..]),
            isVolume ? DirectoryRecord.TryRead(sector[RootOffset..].ToArray()) : null,
            IsElTorito(type, sector) ? BinaryPrimitives.ReadUInt32LittleEndian(sector[BootCatalogueOffset..]) : null);
    }

    public static void WriteEnd(Span<byte> sector) => WriteIdentifier(sector, DescriptorType.End);

    public static void WriteBootRecord(Span<byte> sector, uint catalogueSector)
    {
        WriteIdentifier(sector, DescriptorType.Boot);
        "EL TORITO SPECIFICATION"u8.CopyTo(sector[BootSystemOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[BootCatalogueOffset..], catalogueSector);
    }

    /// <param name="root">As <see cref="DirectoryRecord.Write"/> makes it.</param>
    public static void WriteVolume(Span<byte> sector, IsoText text, IsoFacts facts, uint sectors, PathTables paths, ReadOnlySpan<byte> root)
    {
        WriteIdentifier(sector, text.IsUcs2 ? DescriptorType.Supplementary : DescriptorType.Primary);
        text.Write(sector.Slice(8, 32), "LINUX");
        text.Write(sector.Slice(LabelOffset, LabelLength), facts.Label);
        BothEndian.Write(sector[80..], sectors);
        if (text.IsUcs2)
            "%/E"u8.CopyTo(sector[EscapesOffset..]);

        BothEndian.Write(sector[120..], (ushort)1);
        BothEndian.Write(sector[124..], (ushort)1);
        BothEndian.Write(sector[SectorLengthOffset..], (ushort)SectorSize);
        BothEndian.Write(sector[132..], (uint)paths.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[140..], paths.LittleEndianSector);
        BinaryPrimitives.WriteUInt32BigEndian(sector[148..], paths.BigEndianSector);
        root.CopyTo(sector[RootOffset..]);
        text.Write(sector.Slice(190, 128), "");
        text.Write(sector.Slice(318, 128), facts.Publisher);
        text.Write(sector.Slice(446, 128), "");
        text.Write(sector.Slice(574, 128), "VITRINE");
        text.Write(sector.Slice(702, 37), "");
        text.Write(sector.Slice(739, 37), "");
        text.Write(sector.Slice(776, 37), "");
        IsoTime.WriteDigits(sector[813..], facts.Time);
        IsoTime.WriteDigits(sector[830..], facts.Time);
        IsoTime.WriteDigits(sector[847..], null);
        IsoTime.WriteDigits(sector[864..], facts.Time);
        sector[881] = 1;
    }

    private static void WriteIdentifier(Span<byte> sector, DescriptorType type)
    {
        sector[0] = (byte)type;
        "CD001"u8.CopyTo(sector[1..]);
        sector[6] = 1;
    }

    // Three levels of UCS-2, which differ in nothing that readers care for.
    private static bool IsUcs2(ReadOnlySpan<byte> escapes) =>
        escapes.StartsWith("%/@"u8) || escapes.StartsWith("%/C"u8) || escapes.StartsWith("%/E"u8);

    private static bool IsElTorito(DescriptorType type, ReadOnlySpan<byte> sector) =>
        type is DescriptorType.Boot && sector[BootSystemOffset..].StartsWith("EL TORITO SPECIFICATION"u8);
}

internal enum DescriptorType : byte
{
    Boot = 0,
    Primary = 1,
    Supplementary = 2,
    End = 255,
}

/// <summary>What a medium says of itself.</summary>
internal sealed record IsoFacts(string Label, string Publisher, DateTimeOffset Time);

/// <summary>Where the two copies of a list of directories are; they differ in the order of the bytes in numbers.</summary>
internal readonly record struct PathTables(int Length, uint LittleEndianSector, uint BigEndianSector);
