using System.Buffers.Binary;
using Vitrine.Content;

namespace Vitrine.Formats.Vhd;

/// <summary>The sector that ends every VHD and, in a copy, begins those that grow: Microsoft's "Virtual Hard Disk Image Format Specification".</summary>
/// <remarks>
/// Every field is big-endian:
/// <code>
///   0  cookie  conectix     8  features             12  version 1.0         16  offset of the dynamic header (8)
///  24  time stamp          28  creator              32  its version         36  its host
///  40  original size (8)   48  current size (8)     56  cylinders (2), heads (1), sectors (1)
///  60  disk type           64  checksum             68  id (16)             84  saved state (1)
/// </code>
/// The checksum is the complement of the sum of all bytes but its own.
/// </remarks>
internal readonly record struct VhdFooter(
    uint Features, uint Version, ulong HeaderOffset, uint Creator, ulong Size, ushort Cylinders, byte Heads, byte Sectors, VhdType Type, Guid Id)
{
    public const string Cookie = "conectix";
    public const int Length = 512;
    public const int ChecksumOffset = 64;

    /// <summary>Of the footer, and of the dynamic header.</summary>
    public const uint Version1 = 0x0001_0000;

    private const int SectorSize = VhdLayout.SectorSize;

    // The largest geometry there is, 127 GiB: a disk that has it may be of any length from there on.
    private const long MostGeometrySectors = 65_535L * 16 * 255;

    private static readonly uint VirtualPc = BinaryPrimitives.ReadUInt32BigEndian("vpc "u8);
    private static readonly uint OldQemu = BinaryPrimitives.ReadUInt32BigEndian("qemu"u8);

    /// <summary>Of the guest's disk, in bytes.</summary>
    /// <remarks>
    /// Virtual PC, and QEMU where it imitates it, show a guest what the geometry says, which is the size rounded down to whole
    /// cylinders; Hyper-V, Azure, XenServer, VirtualBox, disk2vhd and QEMU with "force_size" show the current size. So each
    /// image is read as its own creator reads it, and QEMU does the same. Only for creators that nobody has listed QEMU goes by
    /// the geometry too and cuts their disks off, with the partition table's copy that is at the end; here they keep their size.
    /// </remarks>
    public long DiskLength
    {
        get
        {
            var sectors = (long)Cylinders * Heads * Sectors;
            var isByGeometry = (Creator == VirtualPc || Creator == OldQemu) && sectors is > 0 and < MostGeometrySectors;
            return isByGeometry ? Math.Min(sectors * SectorSize, (long)Size) : (long)Size;
        }
    }

    public static bool IsIn(ReadOnlySpan<byte> sector) => sector.StartsWith("conectix"u8);

    public static VhdFooter Read(ReadOnlySpan<byte> sector)
    {
        var footer = new VhdFooter(
            Features: BinaryPrimitives.ReadUInt32BigEndian(sector[8..]),
            Version: BinaryPrimitives.ReadUInt32BigEndian(sector[12..]),
            HeaderOffset: BinaryPrimitives.ReadUInt64BigEndian(sector[16..]),
            Creator: BinaryPrimitives.ReadUInt32BigEndian(sector[28..]),
            Size: BinaryPrimitives.ReadUInt64BigEndian(sector[48..]),
            Cylinders: BinaryPrimitives.ReadUInt16BigEndian(sector[56..]),
            Heads: sector[58],
            Sectors: sector[59],
            Type: (VhdType)BinaryPrimitives.ReadUInt32BigEndian(sector[60..]),
            Id: new Guid(sector.Slice(68, 16), bigEndian: true));
        footer.Check(BinaryPrimitives.ReadUInt32BigEndian(sector[ChecksumOffset..]) == ChecksumOf(sector, ChecksumOffset));
        return footer;
    }

    /// <param name="at">Where the checksum itself stands, which does not count.</param>
    public static uint ChecksumOf(ReadOnlySpan<byte> bytes, int at)
    {
        var sum = 0u;
        foreach (var b in bytes)
            sum += b;
        foreach (var b in bytes.Slice(at, sizeof(uint)))
            sum -= b;

        return ~sum;
    }

    public static UnsafeContentException BadGeometry(string what) => new("vhd-bad-geometry", $"the VHD image cannot be right: {what}.");

    private void Check(bool isSumRight)
    {
        if (Type is VhdType.Differencing)
            throw new UnsafeContentException("vhd-parent", "the VHD image is based on another one.");
        if (Type is not (VhdType.Fixed or VhdType.Dynamic))
            throw new UnsafeContentException("vhd-incompatible-features", $"the VHD image is of a type that is not known here ({(uint)Type}).");
        if (Version != Version1)
            throw new UnsafeContentException("vhd-incompatible-features", "the VHD image is of a version that is not known here.");
        if (Size is 0 or > Refusal.MaxVirtualSize || Size % SectorSize != 0)
            throw BadGeometry($"its disk has {Size} bytes");
        if (!isSumRight)
            throw BadGeometry("its checksum is wrong");
    }
}

internal enum VhdType : uint
{
    Fixed = 2,
    Dynamic = 3,
    Differencing = 4,
}
