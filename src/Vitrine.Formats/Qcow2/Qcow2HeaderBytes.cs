using System.Buffers.Binary;

namespace Vitrine.Formats.Qcow2;

/// <summary>Where each field of the header is, as the document "qcow2" of the QEMU project draws it; and the header that is written.</summary>
/// <remarks>
/// Every field is big-endian. Both versions:
/// <code>
///   0  magic  QFI\xfb            4  version: 2 or 3
///   8  backing file offset (8)  16  backing file name's length
///  20  cluster bits             24  size of the guest's disk (8)
///  32  encryption method        36  entries of the L1 table
///  40  L1 table offset (8)      48  refcount table offset (8)
///  56  refcount table clusters  60  number of snapshots
///  64  snapshots offset (8)
/// </code>
/// Version 3 goes on, and may go on further up to its header length:
/// <code>
///  72  incompatible features (8)   80  compatible features (8)   88  autoclear features (8)
///  96  refcount order             100  header length            104  compression type (1), padding (7)
/// </code>
/// Then header extensions, up to the end of the first cluster: type (4), length (4), data padded to 8; type 0 is the last.
/// </remarks>
internal static class Qcow2HeaderBytes
{
    public const uint Magic = 0x5146_49fb;
    public const int Version2Length = 72;
    public const int Version3Length = 104;

    public const int Version = 4;
    public const int BackingOffset = 8;
    public const int BackingLength = 16;
    public const int ClusterBits = 20;
    public const int Size = 24;
    public const int Encryption = 32;
    public const int L1Entries = 36;
    public const int L1Offset = 40;
    public const int RefcountOffset = 48;
    public const int RefcountClusters = 56;
    public const int Snapshots = 60;
    public const int SnapshotsOffset = 64;
    public const int RefcountOrder = 96;
    public const int HeaderLength = 100;

    /// <summary>A header of version 3, with no feature that any reader could lack, and no extensions.</summary>
    public static byte[] Write(long diskLength, long l1Entries, long l1, long refcountTable, long refcountTableClusters)
    {
        var header = new byte[Version3Length];
        var bytes = header.AsSpan();
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[Version..], 3);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[ClusterBits..], Qcow2Clusters.Bits);
        BinaryPrimitives.WriteInt64BigEndian(bytes[Size..], diskLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[L1Entries..], checked((uint)l1Entries));
        BinaryPrimitives.WriteInt64BigEndian(bytes[L1Offset..], l1);
        BinaryPrimitives.WriteInt64BigEndian(bytes[RefcountOffset..], refcountTable);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[RefcountClusters..], checked((uint)refcountTableClusters));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[RefcountOrder..], Qcow2Clusters.RefcountOrder);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[HeaderLength..], Version3Length);
        return header;
    }
}
