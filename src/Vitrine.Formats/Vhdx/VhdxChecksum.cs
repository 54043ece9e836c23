using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Vitrine.Formats.Vhdx;

/// <summary>CRC-32C over a whole structure; the checksum itself is the four bytes at 4, and counts as zero.</summary>
internal static class VhdxChecksum
{
    private const int Offset = 4;

    /// <param name="structure">In whole words of eight bytes.</param>
    public static bool IsRight(ReadOnlySpan<byte> structure) =>
        Of(structure) == BinaryPrimitives.ReadUInt32LittleEndian(structure[Offset..]);

    /// <summary>Puts the checksum in.</summary>
    /// <inheritdoc cref="IsRight"/>
    public static void Seal(Span<byte> structure) => BinaryPrimitives.WriteUInt32LittleEndian(structure[Offset..], Of(structure));

    private static uint Of(ReadOnlySpan<byte> structure)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(structure));
        crc = BitOperations.Crc32C(crc, 0u);
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(structure[(2 * Offset)..]))
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));

        return ~crc;
    }
}
