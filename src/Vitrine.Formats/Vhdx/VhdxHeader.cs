using System.Buffers.Binary;

namespace Vitrine.Formats.Vhdx;

/// <summary>One of the two headers of a VHDX ([MS-VHDX] 2.2.2); the one with the higher sequence number counts.</summary>
/// <remarks>
/// Every field is little-endian:
/// <code>
///   0  head     4  checksum     8  sequence number (8)    16  file write id (16)    32  data write id (16)
///  48  log id (16)             64  log version (2)        66  version (2)           68  log length         72  log offset (8)
/// </code>
/// </remarks>
/// <param name="LogId">Of the entries of the log that count; empty where there are none.</param>
internal sealed record VhdxHeader(ulong Sequence, Guid LogId, ushort LogVersion, ushort Version, VhdxRegion Log)
{
    public const int Length = 4 * 1024;
    public const ushort Version1 = 1;

    private static ReadOnlySpan<byte> Signature => "head"u8;

    /// <returns>Null where it is not whole.</returns>
    public static VhdxHeader? TryRead(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Signature) && VhdxChecksum.IsRight(bytes)
        ? new VhdxHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            new Guid(bytes.Slice(48, 16)),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[64..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[66..]),
            ReadLog(bytes))
        : null;

    /// <param name="fileWriteId">Another one whenever the file was opened for writing.</param>
    /// <param name="dataWriteId">Another one whenever a guest could see a change.</param>
    public byte[] Write(Guid fileWriteId, Guid dataWriteId)
    {
        var header = new byte[Length];
        var bytes = header.AsSpan();
        Signature.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Sequence);
        fileWriteId.TryWriteBytes(bytes[16..]);
        dataWriteId.TryWriteBytes(bytes[32..]);
        LogId.TryWriteBytes(bytes[48..]);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[64..], LogVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[66..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[68..], checked((uint)Log.Length));
        BinaryPrimitives.WriteInt64LittleEndian(bytes[72..], Log.Offset);
        VhdxChecksum.Seal(bytes);
        return header;
    }

    private static VhdxRegion ReadLog(ReadOnlySpan<byte> bytes) => new(
        Guid.Empty,
        (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(bytes[72..]), Refusal.MaxVirtualSize),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[68..]));
}
