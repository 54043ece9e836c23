using System.Buffers.Binary;

namespace Vitrine.Formats.Vhdx;

/// <summary>A range of the file that is kept for one thing.</summary>
/// <remarks>
/// Its entry in a region table ([MS-VHDX] 2.2.3.2), little-endian:
/// <code>
///   0  id (16)                 16  offset (8)             24  length                28  flags: 1 is "required"
/// </code>
/// </remarks>
internal readonly record struct VhdxRegion(Guid Id, long Offset, long Length)
{
    public const int EntryLength = 32;

    private const uint IsRequired = 1;

    public static readonly Guid BatId = new("2dc27766-f623-4200-9d64-115e9bfd4a08");
    public static readonly Guid MetadataId = new("8b7ca206-4790-4b9a-b8fe-575f050f886e");

    public long End => Offset + Length;

    /// <summary>Whether it is where a region may be: in whole MiB, after the first.</summary>
    public bool IsAligned =>
        Offset is >= VhdxLayout.MiB and <= Refusal.MaxVirtualSize && Offset % VhdxLayout.MiB == 0 && Length >= VhdxLayout.MiB && Length % VhdxLayout.MiB == 0;

    public bool Overlaps(VhdxRegion other) => Offset < other.End && other.Offset < End;

    /// <param name="entry">Of a region table.</param>
    public static VhdxRegion Read(ReadOnlySpan<byte> entry) => new(
        new Guid(entry[..16]), (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]), long.MaxValue),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]));

    /// <inheritdoc cref="Read"/>
    public void Write(Span<byte> entry)
    {
        Id.TryWriteBytes(entry);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], checked((uint)Length));
        BinaryPrimitives.WriteUInt32LittleEndian(entry[28..], IsRequired);
    }
}
