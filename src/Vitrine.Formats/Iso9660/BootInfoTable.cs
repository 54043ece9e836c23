using System.Buffers.Binary;

namespace Vitrine.Formats.Iso9660;

/// <summary>What a boot loader that knows nothing of its medium, as isolinux, finds in its own file.</summary>
/// <remarks>
/// As mkisofs's <c>-boot-info-table</c> puts it there; every number is little-endian:
/// <code>
///   8  sector of the volume descriptor    12  sector of the file    16  its length    20  checksum    24  zeros (40)
/// </code>
/// The checksum is the sum of all words from 64 on, the last one filled up with zeros.
/// </remarks>
internal static class BootInfoTable
{
    /// <summary>Where the table ends, and what counts for the checksum begins. No shorter file has one.</summary>
    public const int End = 64;

    private const int Start = 8;

    /// <returns>A copy of the file with its table.</returns>
    public static byte[] PutInto(ReadOnlySpan<byte> file, uint descriptorSector, uint fileSector)
    {
        var informed = file.ToArray();
        var table = informed.AsSpan(Start, End - Start);
        table.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(table, descriptorSector);
        BinaryPrimitives.WriteUInt32LittleEndian(table[4..], fileSector);
        BinaryPrimitives.WriteUInt32LittleEndian(table[8..], (uint)file.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(table[12..], SumOf(file[End..]));
        return informed;
    }

    private static uint SumOf(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (; bytes.Length >= sizeof(uint); bytes = bytes[sizeof(uint)..])
            sum += BinaryPrimitives.ReadUInt32LittleEndian(bytes);

        Span<byte> last = stackalloc byte[sizeof(uint)];
        last.Clear();
        bytes.CopyTo(last);
        return sum + BinaryPrimitives.ReadUInt32LittleEndian(last);
    }
}
