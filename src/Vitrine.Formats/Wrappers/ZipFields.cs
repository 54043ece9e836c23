using System.Buffers.Binary;
using Vitrine.Content;

namespace Vitrine.Formats.Wrappers;

/// <summary>Reads the little-endian fields of a record of a zip archive one after the other.</summary>
internal ref struct ZipFields(ReadOnlySpan<byte> record)
{
    private ReadOnlySpan<byte> _rest = record;

    /// <exception cref="UnsafeContentException">The record does not begin with its signature.</exception>
    public ZipFields(ReadOnlySpan<byte> record, uint signature) : this(record)
    {
        if (UInt32() != signature)
            throw ZipMember.Contradiction();
    }

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    /// <summary>A length or an offset of 4 or 8 bytes, of which no file has more than 63 bits.</summary>
    public long Length(bool isLarge)
    {
        var length = isLarge ? BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long))) : UInt32();
        return length >= 0 ? length : throw ZipMember.Contradiction();
    }

    public void Skip(int count) => Take(count);

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw ZipMember.Contradiction();

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
