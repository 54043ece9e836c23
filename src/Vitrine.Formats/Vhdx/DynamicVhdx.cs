using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Vitrine.Formats.Conversion;

namespace Vitrine.Formats.Vhdx;

/// <summary>VHDX that grows ("dynamic"), as a program leaves it that closed it well: Microsoft's [MS-VHDX].</summary>
/// <remarks>
/// <code>
///  0                       1 MiB        2 MiB        3 MiB
///  +-----------------------+------------+------------+----------------------+--------+---
///  | ids, headers, regions | empty log  | metadata   | block table, in MiBs | blocks | …
///  +-----------------------+------------+------------+----------------------+--------+---
/// </code>
/// VhdxReader draws the structures of the first MiB.
/// </remarks>
internal sealed class DynamicVhdx(long diskLength, DiskIdentity identity) : UnitFormat(diskLength)
{
    public const string Variant = "dynamic";

    public const long MaxDiskLength = 64L << 40;

    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;
    private const int BlockLength = 2 * MiB;
    private const int LogicalSectorLength = 512;
    private const int PhysicalSectorLength = 4096;

    private const int LogOffset = MiB;
    private const int MetadataOffset = 2 * MiB;
    private const int TableOffset = 3 * MiB;
    private const int HeaderLength = 4 * KiB;
    private const int RegionTableLength = 64 * KiB;
    private const int EntryLength = 32;

    // 2.5: after as many entries of blocks as a block of sector bitmaps has bits for stands the entry of that one.
    private const long BlocksOfChunk = (1L << 23) * LogicalSectorLength / BlockLength;

    // 2.5.1.1, PAYLOAD_BLOCK_FULLY_PRESENT; the rest of an entry is the block's place, in MiB from bit 20 on.
    private const ulong FullyPresent = 6;

    private static readonly Guid TableRegionId = new("2dc27766-f623-4200-9d64-115e9bfd4a08");
    private static readonly Guid MetadataRegionId = new("8b7ca206-4790-4b9a-b8fe-575f050f886e");

    public override int UnitLength => BlockLength;

    public override long PayloadStart => TableOffset + TableLength;

    public override IReadOnlyList<Region> LayRegions(UnitMap map)
    {
        var regions = WriteRegionTable();
        return
        [
            new TableRegion(TableOffset, CountEntries(), sizeof(ulong), Entry, BinaryPrimitives.WriteUInt64LittleEndian),
            new BytesRegion(MetadataOffset, new MetadataRegion(DiskLength, identity.For("vhdx disk")).Write()),
            new BytesRegion(256 * KiB, regions),
            new BytesRegion(192 * KiB, regions),
            new BytesRegion(128 * KiB, WriteHeader(sequence: 1)),
            new BytesRegion(64 * KiB, WriteHeader(sequence: 0)),
            new BytesRegion(0, WriteFileId()),
        ];

        ulong Entry(long number)
        {
            var (chunk, inChunk) = Math.DivRem(number, BlocksOfChunk + 1);
            var offset = inChunk == BlocksOfChunk ? -1 : OffsetOf(map, chunk * BlocksOfChunk + inChunk);
            return offset < 0 ? 0 : (ulong)offset | FullyPresent;
        }
    }

    private long TableLength => (CountEntries() * sizeof(ulong) + MiB - 1) / MiB * MiB;

    private long CountEntries() => CountUnits() + (CountUnits() - 1) / BlocksOfChunk;

    // 2.2.1
    private static byte[] WriteFileId() => [.. "vhdxfile"u8, .. Encoding.Unicode.GetBytes("Vitrine")];

    // 2.2.2; the one with the higher number counts.
    private byte[] WriteHeader(ulong sequence)
    {
        var header = new byte[HeaderLength];
        var bytes = header.AsSpan();
        "head"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], sequence);
        identity.For("vhdx file write").TryWriteBytes(bytes[16..]);
        identity.For("vhdx data write").TryWriteBytes(bytes[32..]);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[66..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[68..], MiB);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[72..], LogOffset);
        Seal(bytes);
        return header;
    }

    // 2.2.3
    private byte[] WriteRegionTable()
    {
        var table = new byte[RegionTableLength];
        var bytes = table.AsSpan();
        "regi"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], 2);
        WriteRegion(bytes[16..], TableRegionId, TableOffset, TableLength);
        WriteRegion(bytes[(16 + EntryLength)..], MetadataRegionId, MetadataOffset, MiB);
        Seal(bytes);
        return table;
    }

    private static void WriteRegion(Span<byte> entry, Guid id, long offset, long length)
    {
        const uint IsRequired = 1;
        id.TryWriteBytes(entry);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], offset);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], checked((uint)length));
        BinaryPrimitives.WriteUInt32LittleEndian(entry[28..], IsRequired);
    }

    /// <summary>Puts in a structure's checksum: the four bytes at 4, which were zero so far.</summary>
    private static void Seal(Span<byte> structure)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(structure))
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));

        BinaryPrimitives.WriteUInt32LittleEndian(structure[4..], ~crc);
    }

    /// <summary>What is said of the disk (2.6): a table of 64 KiB, and behind it the items in its order.</summary>
    private sealed class MetadataRegion(long diskLength, Guid diskId)
    {
        private const int MetadataTableLength = 64 * KiB;
        private const uint IsVirtualDisk = 2;
        private const uint IsRequired = 4;

        private readonly byte[] _bytes = new byte[MetadataTableLength + 5 * 16];
        private int _count;
        private int _end = MetadataTableLength;

        public byte[] Write()
        {
            Span<byte> item = stackalloc byte[16];

            // Block size, and flags: neither a parent nor blocks that stay where they are.
            BinaryPrimitives.WriteUInt64LittleEndian(item, BlockLength);
            Add(new Guid("caa16737-fa36-4d43-b3b6-33f0aa44e76b"), item[..8], IsRequired);
            BinaryPrimitives.WriteInt64LittleEndian(item, diskLength);
            Add(new Guid("2fa54224-cd1b-4876-b211-5dbed83bf4b8"), item[..8], IsRequired | IsVirtualDisk);
            diskId.TryWriteBytes(item);
            Add(new Guid("beca12ab-b2e6-4523-93ef-c309e000c746"), item, IsRequired | IsVirtualDisk);
            BinaryPrimitives.WriteUInt32LittleEndian(item, LogicalSectorLength);
            Add(new Guid("8141bf1d-a96f-4709-ba47-f233a8faab5f"), item[..4], IsRequired | IsVirtualDisk);
            BinaryPrimitives.WriteUInt32LittleEndian(item, PhysicalSectorLength);
            Add(new Guid("cda348c7-445d-4471-9cc9-e9885251c556"), item[..4], IsRequired | IsVirtualDisk);

            "metadata"u8.CopyTo(_bytes);
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(10), (ushort)_count);
            return _bytes;
        }

        private void Add(Guid id, ReadOnlySpan<byte> item, uint flags)
        {
            item.CopyTo(_bytes.AsSpan(_end));
            var entry = _bytes.AsSpan(EntryLength * ++_count);
            id.TryWriteBytes(entry);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)_end);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], (uint)item.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], flags);
            _end += item.Length;
        }
    }
}
