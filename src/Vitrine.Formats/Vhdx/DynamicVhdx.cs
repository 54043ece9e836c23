using System.Buffers.Binary;
using System.Text;
using Vitrine.Formats.Conversion;
using static Vitrine.Formats.Vhdx.VhdxMetadataItem;

namespace Vitrine.Formats.Vhdx;

/// <summary>VHDX that grows ("dynamic"), as a program leaves it that closed it well: Microsoft's [MS-VHDX].</summary>
/// <remarks>
/// <code>
///  0                       1 MiB        2 MiB        3 MiB
///  +-----------------------+------------+------------+----------------------+--------+---
///  | ids, headers, regions | empty log  | metadata   | block table, in MiBs | blocks | …
///  +-----------------------+------------+------------+----------------------+--------+---
/// </code>
/// VhdxHeaderReader draws the structures of the first MiB.
/// </remarks>
internal sealed class DynamicVhdx(long diskLength, DiskIdentity identity) : UnitFormat(diskLength)
{
    public const string Variant = "dynamic";

    public const long MaxDiskLength = 64L << 40;

    private const int MiB = VhdxLayout.MiB;
    private const int BlockLength = 2 * MiB;
    private const int LogicalSectorLength = 512;
    private const int PhysicalSectorLength = 4096;
    private const int TableOffset = 3 * MiB;

    private static readonly VhdxRegion Log = new(Guid.Empty, MiB, MiB);
    private static readonly VhdxRegion Metadata = new(VhdxRegion.MetadataId, 2 * MiB, MiB);

    private readonly VhdxLayout _layout = LayOut(diskLength);

    public override int UnitLength => BlockLength;

    public override long PayloadStart => _layout.Bat.End;

    public override IReadOnlyList<Region> LayRegions(UnitMap map)
    {
        var regions = WriteRegionTable();
        return
        [
            new TableRegion(TableOffset, _layout.Entries, VhdxLayout.EntryLength, Entry, BinaryPrimitives.WriteUInt64LittleEndian),
            new BytesRegion(Metadata.Offset, new MetadataRegion(DiskLength, identity.For("vhdx disk")).Write()),
            new BytesRegion(VhdxLayout.SecondRegionTable, regions),
            new BytesRegion(VhdxLayout.FirstRegionTable, regions),
            new BytesRegion(VhdxLayout.SecondHeader, WriteHeader(sequence: 1)),
            new BytesRegion(VhdxLayout.FirstHeader, WriteHeader(sequence: 0)),
            new BytesRegion(0, WriteFileId()),
        ];

        ulong Entry(long number)
        {
            var (chunk, inChunk) = Math.DivRem(number, _layout.ChunkBlocks + 1);
            var offset = inChunk == _layout.ChunkBlocks ? -1 : OffsetOf(map, chunk * _layout.ChunkBlocks + inChunk);
            return offset < 0 ? 0 : (ulong)offset | (ulong)VhdxMap.BlockState.FullyPresent;
        }
    }

    private static VhdxLayout LayOut(long diskLength)
    {
        var layout = new VhdxLayout(diskLength, LogicalSectorLength, BlockLength, default, Metadata, Log);
        var length = (layout.Entries * VhdxLayout.EntryLength + MiB - 1) / MiB * MiB;
        return layout with { Bat = new VhdxRegion(VhdxRegion.BatId, TableOffset, length) };
    }

    // 2.2.1
    private static byte[] WriteFileId() => [.. VhdxLayout.FileSignature, .. Encoding.Unicode.GetBytes("Vitrine")];

    // The one with the higher number counts.
    private byte[] WriteHeader(ulong sequence) => new VhdxHeader(sequence, LogId: Guid.Empty, LogVersion: 0, VhdxHeader.Version1, Log)
        .Write(identity.For("vhdx file write"), identity.For("vhdx data write"));

    private byte[] WriteRegionTable()
    {
        var table = new byte[VhdxLayout.TableLength];
        var bytes = table.AsSpan();
        VhdxLayout.RegionTableSignature.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], 2);
        _layout.Bat.Write(bytes[VhdxLayout.RegionTableHeaderLength..]);
        Metadata.Write(bytes[(VhdxLayout.RegionTableHeaderLength + VhdxRegion.EntryLength)..]);
        VhdxChecksum.Seal(bytes);
        return table;
    }

    /// <summary>What is said of the disk (2.6): a table of 64 KiB, and behind it the items in its order.</summary>
    private sealed class MetadataRegion(long diskLength, Guid diskId)
    {
        private readonly byte[] _bytes = new byte[VhdxLayout.TableLength + 5 * 16];
        private ushort _count;
        private int _end = VhdxLayout.TableLength;

        public byte[] Write()
        {
            Span<byte> item = stackalloc byte[16];

            // Block size, and flags: neither a parent nor blocks that stay where they are.
            BinaryPrimitives.WriteUInt64LittleEndian(item, BlockLength);
            Add(FileParameters, item[..8], Required);
            BinaryPrimitives.WriteInt64LittleEndian(item, diskLength);
            Add(VirtualDiskSize, item[..8], Required | OfDisk);
            diskId.TryWriteBytes(item);
            Add(VirtualDiskId, item, Required | OfDisk);
            BinaryPrimitives.WriteUInt32LittleEndian(item, LogicalSectorLength);
            Add(LogicalSectorSize, item[..4], Required | OfDisk);
            BinaryPrimitives.WriteUInt32LittleEndian(item, PhysicalSectorLength);
            Add(PhysicalSectorSize, item[..4], Required | OfDisk);

            VhdxLayout.MetadataTableSignature.CopyTo(_bytes);
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(10), _count);
            return _bytes;
        }

        private void Add(Guid id, ReadOnlySpan<byte> value, uint flags)
        {
            var entry = _bytes.AsSpan(VhdxLayout.MetadataTableHeaderLength + EntryLength * _count++);
            new VhdxMetadataItem(id, (uint)_end, (uint)value.Length, flags).Write(entry);
            value.CopyTo(_bytes.AsSpan(_end));
            _end += value.Length;
        }
    }
}
