using System.Buffers.Binary;

namespace Vitrine.Formats.Vhdx;

/// <summary>Where one fact about the disk stands.</summary>
/// <remarks>
/// Its entry in the metadata table ([MS-VHDX] 2.6.1.2), little-endian:
/// <code>
///   0  id (16)                 16  offset in the region   20  length    24  flags: 1 user, 2 disk, 4 required    28  reserved
/// </code>
/// </remarks>
internal readonly record struct VhdxMetadataItem(Guid Id, uint Offset, uint Length, uint Flags)
{
    public const int EntryLength = 32;

    public const uint OfUser = 1;
    public const uint OfDisk = 2;
    public const uint Required = 4;

    public static readonly Guid FileParameters = new("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
    public static readonly Guid VirtualDiskSize = new("2fa54224-cd1b-4876-b211-5dbed83bf4b8");
    public static readonly Guid VirtualDiskId = new("beca12ab-b2e6-4523-93ef-c309e000c746");
    public static readonly Guid LogicalSectorSize = new("8141bf1d-a96f-4709-ba47-f233a8faab5f");
    public static readonly Guid PhysicalSectorSize = new("cda348c7-445d-4471-9cc9-e9885251c556");
    public static readonly Guid ParentLocator = new("a8d35f2d-b30b-454d-abf7-d3d84834ab0c");

    public ulong End => (ulong)Offset + Length;
    public bool IsUser => (Flags & OfUser) != 0;
    public bool IsRequired => (Flags & Required) != 0;

    public static VhdxMetadataItem Read(ReadOnlySpan<byte> entry) => new(
        new Guid(entry[..16]),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]));

    public void Write(Span<byte> entry)
    {
        Id.TryWriteBytes(entry);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], Flags);
    }
}
