using System.Buffers.Binary;
using Vitrine.Formats.Conversion;

namespace Vitrine.Formats.Qcow2;

/// <summary>qcow2, version 3, without compression: the document "qcow2" of the QEMU project.</summary>
/// <remarks>
/// <code>
///  0        64 KiB
///  +--------+------------------------+-----------+----------+----------------+-----------------+
///  | header | clusters of the disk … | L2 tables | L1 table | refcount table | refcount blocks |
///  +--------+------------------------+-----------+----------+----------------+-----------------+
/// </code>
/// Every part begins at a cluster, and every cluster is used once.
/// </remarks>
internal sealed class Qcow2Layout(long diskLength) : UnitFormat(diskLength)
{
    /// <summary>The format could go further; beyond it the tables of this cluster size would get too long for readers to keep.</summary>
    public const long MaxDiskLength = 64L << 40;

    public override int UnitLength => Qcow2Clusters.Length;

    public override long PayloadStart => Qcow2Clusters.Length;

    public override IReadOnlyList<Region> LayRegions(UnitMap map)
    {
        var l2Numbers = map.PageNumbers.ToArray();
        var l1Entries = Qcow2Clusters.CountL1Entries(DiskLength);
        var l2 = PayloadEnd(map);
        var l1 = l2 + l2Numbers.LongLength * Qcow2Clusters.Length;
        var refcounts = RefcountPlan.After(l1 + Qcow2Clusters.RoundUp(l1Entries * sizeof(ulong)));

        return
        [
            new TableRegion(l2, l2Numbers.LongLength * UnitMap.PageUnits, sizeof(ulong), L2Entry, BinaryPrimitives.WriteUInt64BigEndian),
            new TableRegion(l1, l1Entries, sizeof(ulong), L1Entry, BinaryPrimitives.WriteUInt64BigEndian),
            new TableRegion(refcounts.Table, refcounts.BlockCount, sizeof(ulong), refcounts.BlockOffset, BinaryPrimitives.WriteUInt64BigEndian),
            new TableRegion(
                refcounts.Blocks, refcounts.BlockCount * Qcow2Clusters.RefcountsOfBlock, sizeof(ushort),
                cluster => cluster < refcounts.ClusterCount ? 1UL : 0, (bytes, value) => BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value)),
            new BytesRegion(0, Qcow2HeaderBytes.Write(DiskLength, l1Entries, l1, refcounts.Table, refcounts.TableClusters)),
        ];

        ulong L2Entry(long entry)
        {
            var (table, inTable) = Math.DivRem(entry, UnitMap.PageUnits);
            var offset = OffsetOf(map, l2Numbers[table] * UnitMap.PageUnits + inTable);
            return offset < 0 ? 0 : (ulong)offset | Qcow2Clusters.UsedOnce;
        }

        ulong L1Entry(long entry)
        {
            var table = Array.BinarySearch(l2Numbers, entry);
            return table < 0 ? 0 : (ulong)(l2 + (long)table * Qcow2Clusters.Length) | Qcow2Clusters.UsedOnce;
        }
    }

    /// <summary>Refcounts that count themselves too.</summary>
    private sealed record RefcountPlan(long Table, long TableClusters, long BlockCount)
    {
        public long Blocks => Table + TableClusters * Qcow2Clusters.Length;

        public long ClusterCount => Blocks / Qcow2Clusters.Length + BlockCount;

        public ulong BlockOffset(long block) => (ulong)(Blocks + block * Qcow2Clusters.Length);

        public static RefcountPlan After(long position)
        {
            var plan = new RefcountPlan(position, 0, 0);
            while (plan.BlockCount * Qcow2Clusters.RefcountsOfBlock < plan.ClusterCount)
            {
                var blocks = plan.BlockCount + 1;
                plan = new RefcountPlan(position, Qcow2Clusters.RoundUp(blocks * sizeof(ulong)) / Qcow2Clusters.Length, blocks);
            }

            return plan;
        }
    }
}
