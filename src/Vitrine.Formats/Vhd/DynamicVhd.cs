using System.Buffers.Binary;
using Vitrine.Formats.Conversion;

namespace Vitrine.Formats.Vhd;

/// <summary>VHD that grows ("dynamic"): Microsoft's "Virtual Hard Disk Image Format Specification".</summary>
/// <remarks>
/// <code>
///  0                512      1536
///  +----------------+--------+-------------+-----------------+-----------------+---+--------+
///  | footer's copy  | header | block table | bitmap | block  | bitmap | block  | … | footer |
///  +----------------+--------+-------------+-----------------+-----------------+---+--------+
/// </code>
/// An entry of the table is the sector at which a block's bitmap begins, which says of each sector of the block whether it is
/// there: all are.
/// </remarks>
internal sealed class DynamicVhd(long diskLength, DiskIdentity identity) : UnitFormat(diskLength)
{
    public const string Variant = "dynamic";

    private const int SectorLength = 512;
    private const int BlockLength = 2 * 1024 * 1024;
    private const int HeaderOffset = VhdFooter.Length;
    private const int HeaderLength = 1024;
    private const int HeaderChecksumOffset = 36;
    private const int TableOffset = HeaderOffset + HeaderLength;
    private const uint Absent = uint.MaxValue;

    // One bit a sector: as it happens, a sector.
    private static readonly byte[] WholeBlock = [.. Enumerable.Repeat((byte)0xff, BlockLength / SectorLength / 8)];

    public override int UnitLength => BlockLength;

    public override ReadOnlyMemory<byte> Prefix => WholeBlock;

    public override long PayloadStart => TableOffset + EntriesInTable * sizeof(uint);

    public override IReadOnlyList<Region> LayRegions(UnitMap map)
    {
        var footer = VhdFooterSector.Write(VhdType.Dynamic, DiskLength, HeaderOffset, identity);
        return
        [
            new BytesRegion(PayloadEnd(map), footer),
            new TableRegion(TableOffset, EntriesInTable, sizeof(uint), Entry, (bytes, value) => BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)value)),
            new BytesRegion(HeaderOffset, WriteHeader()),
            new BytesRegion(0, footer),
        ];

        ulong Entry(long block) => OffsetOf(map, block) is >= 0 and var offset ? (ulong)offset / SectorLength : Absent;
    }

    // The table fills its last sector.
    private long EntriesInTable => (CountUnits() * sizeof(uint) + SectorLength - 1) / SectorLength * SectorLength / sizeof(uint);

    // VhdReader draws it.
    private byte[] WriteHeader()
    {
        var header = new byte[HeaderLength];
        var bytes = header.AsSpan();
        "cxsparse"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], VhdFooterSector.Nowhere);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], TableOffset);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], VhdFooterSector.Version1);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[28..], (uint)CountUnits());
        BinaryPrimitives.WriteUInt32BigEndian(bytes[32..], BlockLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[HeaderChecksumOffset..], VhdFooter.ChecksumOf(bytes, HeaderChecksumOffset));
        return header;
    }
}
