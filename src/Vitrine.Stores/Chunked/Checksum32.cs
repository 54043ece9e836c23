using System.Buffers.Binary;
using System.Numerics;

namespace Vitrine.Stores.Chunked;

/// <summary>CRC-32C (RFC 3720, B.4), which processors compute. It finds damage; it proves nothing.</summary>
internal static class Checksum32
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);

        return ~crc;
    }
}
