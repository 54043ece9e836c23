using System.Buffers.Binary;
using Vitrine.Disks;

namespace Vitrine.Formats.Boot;

/// <summary>A disk's first sector, as BIOS and UEFI (specification 2.10, 5.2) read it.</summary>
/// <remarks>
/// <code>
///    0  code (440)    440  id of the disk    444  0 (2)    446  four partitions of 16 bytes    510  55 aa
///  of a partition:      0  active: 80          4  type       8  first sector                    12  sectors
/// </code>
/// </remarks>
internal readonly record struct MasterBootRecord(bool HasCode, bool IsProtective, bool HasEfiSystemPartition)
{
    private const int Length = 512;
    private const int CodeLength = 440;
    private const int PartitionsOffset = 446;
    private const int PartitionLength = 16;
    private const int PartitionCount = 4;
    private const int TypeOffset = 4;
    private const int FirstSectorOffset = 8;
    private const byte Protective = 0xee;
    private const byte EfiSystem = 0xef;

    public static async Task<MasterBootRecord> FindAsync(Disk disk, CancellationToken cancellationToken)
    {
        if (disk.Length < Length)
            return default;

        var sector = new byte[Length];
        await disk.ReadAsync(0, sector, cancellationToken);
        return Read(sector);
    }

    /// <summary>Where partitions of a disk begin.</summary>
    /// <param name="start">The disk's first bytes.</param>
    /// <param name="offsets">Gets them in order.</param>
    public static void FindPartitions(ReadOnlySpan<byte> start, Queue<long> offsets)
    {
        if (start.Length < Length || start[(Length - 2)..Length] is not [0x55, 0xaa])
            return;

        var sectors = new uint[PartitionCount];
        for (var i = 0; i < PartitionCount; i++)
            sectors[i] = BinaryPrimitives.ReadUInt32LittleEndian(start[(PartitionsOffset + i * PartitionLength + FirstSectorOffset)..]);

        foreach (var sector in sectors.Where(sector => sector > 0).Order())
            offsets.Enqueue((long)sector * Length);
    }

    private static MasterBootRecord Read(ReadOnlySpan<byte> sector) => sector[^2..] is [0x55, 0xaa]
        ? new MasterBootRecord(sector[..CodeLength].ContainsAnyExcept((byte)0), HasType(sector, Protective), HasType(sector, EfiSystem))
        : default;

    private static bool HasType(ReadOnlySpan<byte> sector, byte type)
    {
        for (var i = 0; i < PartitionCount; i++)
        {
            if (sector[PartitionsOffset + i * PartitionLength + TypeOffset] == type)
                return true;
        }

        return false;
    }
}
