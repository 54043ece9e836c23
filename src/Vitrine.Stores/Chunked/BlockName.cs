using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Vitrine.Stores.Chunked;

/// <summary>The name of a block: the first 24 bytes of the SHA-256 of its bytes.</summary>
/// <remarks>Blocks of one name are taken for equal. To make two of one name takes some 2^96 tries.</remarks>
internal readonly record struct BlockName(ulong First, ulong Second, ulong Third)
{
    /// <summary>In bytes.</summary>
    public const int Length = 24;

    public static BlockName Of(ReadOnlySpan<byte> block)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(block, hash);
        return Read(hash);
    }

    public static BlockName Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, First);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Second);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], Third);
    }

    /// <returns>48 lower-case hexadecimal digits.</returns>
    public override string ToString() => $"{First:x16}{Second:x16}{Third:x16}";
}
