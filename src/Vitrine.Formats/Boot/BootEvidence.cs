using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats.Iso9660;

namespace Vitrine.Formats.Boot;

/// <summary>What on a disk speaks for its being started by a BIOS, or by UEFI. A disk is to be used in the mode that it was built with.</summary>
/// <remarks>
/// It is found by looking, not by starting: a disk with evidence may still not start, and one with none may be for data. Nonsense
/// on the disk is no evidence, and no failure.
/// </remarks>
public sealed record BootEvidence
{
    /// <summary>The first sector is signed, and has code in it.</summary>
    public bool MbrCode { get; init; }

    /// <summary>A GUID partition table with right checksums, at the disk's start or its copy at the end, behind an MBR that protects it.</summary>
    public bool Gpt { get; init; }

    /// <summary>A partition that UEFI starts systems from, by its type in the GUID partition table or in the MBR.</summary>
    public bool EfiSystemPartition { get; init; }

    /// <summary>A partition of the GUID partition table that a BIOS's boot loader keeps its code in, or that is marked for it to start.</summary>
    public bool BiosBootPartition { get; init; }

    /// <summary>The boot catalogue of a disc has something for a BIOS to start.</summary>
    public bool ElToritoBios { get; init; }

    /// <summary>The boot catalogue of a disc has something for UEFI to start.</summary>
    public bool ElToritoUefi { get; init; }

    /// <summary>Whether it may be used in legacy mode. An MBR in front of a GUID partition table may hold code that no BIOS gets further with.</summary>
    public bool SupportsBios => ElToritoBios || MbrCode && (!Gpt || BiosBootPartition);

    /// <summary>Whether it may be used in UEFI mode.</summary>
    public bool SupportsUefi => ElToritoUefi || EfiSystemPartition;

    /// <exception cref="UnsafeContentException">The disk itself cannot be read, because its content is not safe.</exception>
    public static async Task<BootEvidence> FindAsync(Disk disk, CancellationToken cancellationToken)
    {
        var mbr = await MasterBootRecord.FindAsync(disk, cancellationToken);
        var gpt = mbr.IsProtective ? await GuidPartitionTable.FindAsync(disk, cancellationToken) : null;
        var entries = await DescriptorSet.FindBootEntriesAsync(new DiskContent(disk), cancellationToken);
        return new BootEvidence
        {
            MbrCode = mbr.HasCode,
            Gpt = gpt is not null,
            EfiSystemPartition = mbr.HasEfiSystemPartition || gpt is { HasEfiSystemPartition: true },
            BiosBootPartition = gpt is { HasBiosBootPartition: true },
            ElToritoBios = entries.Any(e => e is { IsBootable: true, Platform: BootPlatform.Bios }),
            ElToritoUefi = entries.Any(e => e is { IsBootable: true, Platform: BootPlatform.Uefi }),
        };
    }
}
