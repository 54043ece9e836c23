using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Disks;

namespace Vitrine.Formats.Boot;

/// <summary>The partitions of a disk, as UEFI has them: specification 2.10, 5.3.</summary>
/// <remarks>
/// The header is in the disk's second sector, its copy in the last one. Every field is little-endian:
/// <code>
///   0  EFI PART           8  revision           12  length of the header    16  checksum of the header    20  0
///  24  own sector (8)    32  the other (8)      40  first usable (8)        48  last usable (8)           56  id (16)
///  72  sector of the entries (8)                80  entries                 84  length of one             88  checksum of them
///  of an entry:
///   0  type (16)         16  id (16)            32  first sector (8)        40  last (8)                  48  attributes (8)
/// </code>
/// The checksums are CRC-32, the header's over itself with the checksum as zero.
/// </remarks>
internal sealed record GuidPartitionTable(bool HasEfiSystemPartition, bool HasBiosBootPartition)
{
    private const int LeastHeaderLength = 92;
    private const int HeaderChecksumOffset = 16;
    private const int LeastEntryLength = 128;

    // 128 entries of 128 bytes are usual.
    private const long MostEntriesLength = 1024 * 1024;

    private const ulong IsForLegacyBios = 1 << 2;

    private static readonly Guid EfiSystem = new("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
    private static readonly Guid BiosBoot = new("21686148-6449-6e6f-744e-656564454649");

    /// <returns>Null where there is none that is whole.</returns>
    public static async Task<GuidPartitionTable?> FindAsync(Disk disk, CancellationToken cancellationToken)
    {
        foreach (var sectorLength in (int[])[512, 4096])
        {
            var last = disk.Length / sectorLength - 1;
            foreach (var sector in (long[])[1, last])
            {
                if (sector is > 0 && sector <= last && await TryReadAsync(disk, sector, sectorLength, cancellationToken) is { } table)
                    return table;
            }
        }

        return null;
    }

    private static async Task<GuidPartitionTable?> TryReadAsync(Disk disk, long sector, int sectorLength, CancellationToken cancellationToken)
    {
        var header = new byte[sectorLength];
        await disk.ReadAsync(sector * sectorLength, header, cancellationToken);
        if (EntriesPlace.TryRead(header, sector) is not { } place || !place.FitsIn(disk.Length))
            return null;

        var entries = new byte[place.Length];
        await disk.ReadAsync((long)place.Sector * sectorLength, entries, cancellationToken);
        return Crc32(entries) == place.Checksum ? Read(entries, place.EntryLength) : null;
    }

    private static GuidPartitionTable Read(ReadOnlySpan<byte> entries, int entryLength)
    {
        var (hasEfiSystem, hasBiosBoot) = (false, false);
        for (; entries.Length >= entryLength; entries = entries[entryLength..])
        {
            var type = new Guid(entries[..16]);
            hasEfiSystem |= type == EfiSystem;
            hasBiosBoot |= type == BiosBoot
                || type != Guid.Empty && (BinaryPrimitives.ReadUInt64LittleEndian(entries[48..]) & IsForLegacyBios) != 0;
        }

        return new GuidPartitionTable(hasEfiSystem, hasBiosBoot);
    }

    // That of IEEE 802.3, as the specification asks for; the processor's own instruction has another polynomial.
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        const uint Polynomial = 0xedb8_8320;
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (Polynomial & (uint)-(int)(crc & 1));
        }

        return ~crc;
    }

    /// <summary>Where a header says that the entries are.</summary>
    private readonly record struct EntriesPlace(ulong Sector, int SectorLength, int Length, int EntryLength, uint Checksum)
    {
        /// <returns>Null where the header is none, is damaged, or belongs elsewhere.</returns>
        public static EntriesPlace? TryRead(byte[] header, long sector)
        {
            var headerLength = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12));
            if (!header.AsSpan().StartsWith("EFI PART"u8) || headerLength < LeastHeaderLength || headerLength > header.Length)
                return null;

            var checksum = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderChecksumOffset));
            header.AsSpan(HeaderChecksumOffset, sizeof(uint)).Clear();
            var count = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(80));
            var entryLength = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(84));
            var isRight = checksum == Crc32(header.AsSpan(0, (int)headerLength))
                && BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24)) == (ulong)sector
                && entryLength >= LeastEntryLength && BitOperations.IsPow2(entryLength)
                && (ulong)count * entryLength is > 0 and <= MostEntriesLength;
            return isRight
                ? new EntriesPlace(
                    BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(72)),
                    header.Length,
                    (int)(count * entryLength),
                    (int)entryLength,
                    BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(88)))
                : null;
        }

        public bool FitsIn(long diskLength) => (UInt128)Sector * (uint)SectorLength + (uint)Length <= (ulong)diskLength;
    }
}
