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

    private const int SectorLength = VhdLayout.SectorSize;
    private const int BlockLength = 2 * 1024 * 1024;
    private const int HeaderOffset = VhdFooter.Length;
    private const int TableOffset = HeaderOffset + VhdHeaderReader.HeaderLength;

    // One bit a sector: as it happens, a sector.
    private static readonly byte[] WholeBlock = [.. Enumerable.Repeat((byte)0xff, BlockLength / SectorLength / 8)];

    public override int UnitLength => BlockLength;

    public override ReadOnlyMemory<byte> Prefix => WholeBlock;

    public override long PayloadStart => TableOffset + EntriesInTable * VhdMap.EntryLength;

    public override IReadOnlyList<Region> LayRegions(UnitMap map)
    {
        var footer = VhdFooterSector.Write(VhdType.Dynamic, DiskLength, HeaderOffset, identity);
        return
        [
            new BytesRegion(PayloadEnd(map), footer),
            new TableRegion(TableOffset, EntriesInTable, VhdMap.EntryLength, Entry, (bytes, value) => BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)value)),
            new BytesRegion(HeaderOffset, WriteHeader()),
            new BytesRegion(0, footer),
        ];

        ulong Entry(long block) => OffsetOf(map, block) is >= 0 and var offset ? (ulong)offset / SectorLength : VhdMap.NotThere;
    }

    // The table fills its last sector.
    private long EntriesInTable => (CountUnits() * VhdMap.EntryLength + SectorLength - 1) / SectorLength * SectorLength / VhdMap.EntryLength;

    // VhdHeaderReader draws it.
    private byte[] WriteHeader()
    {
        var header = new byte[VhdHeaderReader.HeaderLength];
        var bytes = header.AsSpan();
        VhdHeaderReader.Cookie.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], VhdFooterSector.Nowhere);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], TableOffset);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], VhdFooter.Version1);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[28..], (uint)CountUnits());
        BinaryPrimitives.WriteUInt32BigEndian(bytes[32..], BlockLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[VhdHeaderReader.ChecksumOffset..], VhdFooter.ChecksumOf(bytes, VhdHeaderReader.ChecksumOffset));
        return header;
    }
}
