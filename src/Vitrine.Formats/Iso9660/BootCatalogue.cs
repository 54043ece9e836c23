using System.Buffers.Binary;

namespace Vitrine.Formats.Iso9660;

/// <summary>What firmware may start from a medium, as El Torito 1.0 draws it (2.0), with UEFI's number for itself.</summary>
/// <remarks>
/// Entries of 32 bytes, numbers little-endian. The first says that this is a catalogue, the second is the usual choice, more come in sections:
/// <code>
///   0  1            1  platform           4  producer (24)       28  checksum (2)    30  55 aa
///   0  88 or 0      1  emulated medium    2  segment (2)          6  sectors of 512 to load (2)      8  sector
///   0  90 or 91     1  platform           2  entries that follow (2)                                  91 is the last section
///   0  44           1  more of the entry before it
/// </code>
/// The checksum makes the sum of all words of the first entry zero.
/// </remarks>
internal static class BootCatalogue
{
    public const int EntryLength = 32;

    private const byte Validation = 1;
    private const byte Section = 0x90;
    private const byte LastSection = 0x91;
    private const byte Extension = 0x44;
    private const int ChecksumOffset = 28;

    /// <param name="sector">The catalogue's first one; none is known that needs a second.</param>
    /// <returns>Null where it is no catalogue.</returns>
    public static IReadOnlyList<BootEntry>? TryRead(ReadOnlySpan<byte> sector)
    {
        if (sector[0] != Validation || sector[30] != 0x55 || sector[31] != 0xaa || SumOf(sector[..EntryLength]) != 0)
            return null;

        var entries = new List<BootEntry> { BootEntry.Read((BootPlatform)sector[1], sector[EntryLength..]) };
        for (var at = 2 * EntryLength; at < sector.Length && sector[at] is Section or LastSection;)
        {
            var header = sector[at..];
            var count = BinaryPrimitives.ReadUInt16LittleEndian(header[2..]);
            at += EntryLength;
            for (; count > 0 && at < sector.Length; at += EntryLength)
            {
                if (sector[at] == Extension)
                    continue;

                entries.Add(BootEntry.Read((BootPlatform)header[1], sector[at..]));
                count--;
            }

            if (header[0] == LastSection)
                break;
        }

        return entries;
    }

    /// <param name="entries">The first is the usual choice.</param>
    public static void Write(Span<byte> sector, IReadOnlyList<BootEntry> entries)
    {
        sector[0] = Validation;
        sector[1] = (byte)entries[0].Platform;
        (sector[30], sector[31]) = (0x55, 0xaa);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[ChecksumOffset..], (ushort)-SumOf(sector[..EntryLength]));
        entries[0].Write(sector[EntryLength..]);
        for (var i = 1; i < entries.Count; i++)
        {
            var section = sector[(2 * i * EntryLength)..];
            section[0] = i == entries.Count - 1 ? LastSection : Section;
            section[1] = (byte)entries[i].Platform;
            BinaryPrimitives.WriteUInt16LittleEndian(section[2..], 1);
            entries[i].Write(section[EntryLength..]);
        }
    }

    private static ushort SumOf(ReadOnlySpan<byte> entry)
    {
        var sum = 0;
        for (var i = 0; i < entry.Length; i += sizeof(ushort))
            sum += BinaryPrimitives.ReadUInt16LittleEndian(entry[i..]);

        return (ushort)sum;
    }
}

/// <summary>Something that firmware may start, or may not if it is there for show.</summary>
/// <param name="Emulation">Zero where the firmware only loads the image; else the medium that it pretends to have.</param>
/// <param name="LoadSectors">How many sectors of 512 bytes are loaded at the start.</param>
internal readonly record struct BootEntry(BootPlatform Platform, bool IsBootable, byte Emulation, ushort LoadSectors, uint Sector)
{
    private const byte Bootable = 0x88;

    public static BootEntry Read(BootPlatform platform, ReadOnlySpan<byte> entry) => new(
        platform,
        IsBootable: entry[0] == Bootable,
        Emulation: (byte)(entry[1] & 0x0f),
        LoadSectors: BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]),
        Sector: BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]));

    public void Write(Span<byte> entry)
    {
        entry[0] = IsBootable ? Bootable : (byte)0;
        entry[1] = Emulation;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], LoadSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], Sector);
    }
}

internal enum BootPlatform : byte
{
    Bios = 0,
    PowerPc = 1,
    Macintosh = 2,
    Uefi = 0xef,
}
