using System.Buffers.Binary;

namespace Vitrine.Formats.Qcow2;

/// <summary>The header that is written: version 3, no feature that any reader could lack, no extensions.</summary>
/// <remarks>
/// Every field is big-endian; those that are not named here are zero:
/// <code>
///   0  magic  QFI\xfb            4  version: 3              20  cluster bits
///  24  size of the guest's disk (8)                         36  entries of the L1 table
///  40  L1 table offset (8)      48  refcount table offset (8)
///  56  refcount table clusters  96  refcount order         100  header length
/// </code>
/// </remarks>
internal static class Qcow2HeaderBytes
{
    private const int Length = 104;
    private const uint Magic = 0x5146_49fb; // QFI\xfb
    private const uint Version = 3;

    public static byte[] Write(long diskLength, long l1Entries, long l1, long refcountTable, long refcountTableClusters)
    {
        var header = new byte[Length];
        var bytes = header.AsSpan();
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], Version);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[20..], Qcow2Clusters.Bits);
        BinaryPrimitives.WriteInt64BigEndian(bytes[24..], diskLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[36..], checked((uint)l1Entries));
        BinaryPrimitives.WriteInt64BigEndian(bytes[40..], l1);
        BinaryPrimitives.WriteInt64BigEndian(bytes[48..], refcountTable);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[56..], checked((uint)refcountTableClusters));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[96..], Qcow2Clusters.RefcountOrder);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[100..], Length);
        return header;
    }
}
