using System.Buffers.Binary;
using System.Text;
using Vitrine.Formats.Conversion;

namespace Vitrine.Formats.Vhd;

/// <summary>The footer of the VHDs that are written; <see cref="VhdFooter"/> draws it and reads it.</summary>
internal static class VhdFooterSector
{
    /// <summary>What Hyper-V, Azure and QEMU hold VHDs to: 2040 GiB.</summary>
    public const long MaxDiskLength = 2040L << 30;

    /// <summary>Of a fixed disk, and of whatever else a header could point to and does not.</summary>
    public const ulong Nowhere = ulong.MaxValue;

    // A bit that is always set.
    private const uint Features = 2;

    // 65535 cylinders, 16 heads, 255 sectors: more than any disk has, which tells readers that go by the geometry to go by the
    // size instead, and so to find the disk as long as it is.
    private const uint LargestGeometry = 0xffff_10ff;

    // The programs that wrote a VHD are known by four letters, the systems that they ran on by "Wi2k" or "Mac ".
    private static ReadOnlySpan<byte> Creator => "vitr"u8;
    private static ReadOnlySpan<byte> CreatorSystem => "Wi2k"u8;

    public static byte[] Write(VhdType type, long diskLength, ulong headerOffset, DiskIdentity identity)
    {
        var sector = new byte[VhdFooter.Length];
        var bytes = sector.AsSpan();
        Encoding.ASCII.GetBytes(VhdFooter.Cookie, bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], Features);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[12..], VhdFooter.Version1);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], headerOffset);
        Creator.CopyTo(bytes[28..]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[32..], VhdFooter.Version1);
        CreatorSystem.CopyTo(bytes[36..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[40..], diskLength);
        BinaryPrimitives.WriteInt64BigEndian(bytes[48..], diskLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[56..], LargestGeometry);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[60..], (uint)type);
        identity.For("vhd").TryWriteBytes(bytes[68..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[VhdFooter.ChecksumOffset..], VhdFooter.ChecksumOf(bytes, VhdFooter.ChecksumOffset));
        return sector;
    }
}
