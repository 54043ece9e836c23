using System.Buffers.Binary;
using Vitrine.Content;

namespace Vitrine.Formats.Wrappers;

/// <summary>What a local or a central header says of a member.</summary>
/// <remarks>
/// APPNOTE 6.3.10, sections 4.3.7 and 4.3.12; all numbers are little-endian. The fields in brackets are in the central header only:
/// <code>
///  signature 4 | [made by 2] | needed 2 | flags 2 | method 2 | time 2 | date 2 | crc 4 | packed length 4 | length 4
///  | name length 2 | extra length 2 | [comment length 2 | disk 2 | attributes 2 + 4 | offset 4] | name | extra | [comment]
/// </code>
/// Lengths and offsets that do not fit are 0xFFFFFFFF, and the extra field 1 (4.5.3) has those, of 8 bytes each, in this order.
/// </remarks>
internal sealed record ZipEntry(ushort Flags, ushort Method, uint Crc, long PackedLength, long Length, long Offset)
{
    public const int LargestDescriptorLength = 24;
    public const int CentralHeaderLength = 46;

    private const uint LocalSignature = 0x0403_4b50;
    private const uint CentralSignature = 0x0201_4b50;
    private const uint DescriptorSignature = 0x0807_4b50;
    private const ushort EncryptedFlags = 1 << 0 | 1 << 6 | 1 << 13;
    private const ushort DescriptorFlag = 1 << 3;
    private const ushort KnownFlags = 1 << 1 | 1 << 2 | DescriptorFlag | 1 << 11;
    private const ushort Stored = 0;
    private const ushort Deflated = 8;
    private const ushort Zip64Extra = 1;
    private const uint InExtra = uint.MaxValue;

    public bool IsDeflated => Method == Deflated;

    private bool HasDescriptorFlag => (Flags & DescriptorFlag) != 0;

    public static ZipEntry BeginLocal(ReadOnlySpan<byte> header, out int nameLength, out int extraLength)
    {
        var fields = new ZipFields(header, LocalSignature);
        fields.Skip(2);
        var entry = Begin(ref fields);
        nameLength = fields.UInt16();
        extraLength = fields.UInt16();
        return entry;
    }

    /// <param name="directory">Exactly the central directory.</param>
    public static ZipEntry ReadCentral(ReadOnlySpan<byte> directory)
    {
        var fields = new ZipFields(directory, CentralSignature);
        fields.Skip(4);
        var entry = Begin(ref fields);
        int nameLength = fields.UInt16(), extraLength = fields.UInt16(), commentLength = fields.UInt16();
        var disk = fields.UInt16();
        fields.Skip(6);
        entry = entry with { Offset = fields.UInt32() };
        if (disk is not (0 or ushort.MaxValue) || directory.Length != CentralHeaderLength + nameLength + extraLength + commentLength)
            throw ZipMember.Contradiction();

        entry = entry.WithExtra(directory.Slice(CentralHeaderLength + nameLength, extraLength));
        entry.RefuseUnknown();
        return entry;
    }

    /// <summary>With the lengths and the offset that did not fit into the header.</summary>
    public ZipEntry WithExtra(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            var (id, length) = (BinaryPrimitives.ReadUInt16LittleEndian(extra), BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]));
            if (length > extra.Length - 4)
                throw ZipMember.Contradiction();
            if (id == Zip64Extra)
                return WithLarge(new ZipFields(extra.Slice(4, length)));

            extra = extra[(4 + length)..];
        }

        return this;
    }

    /// <summary>Whether a local header says the same as the central one. What its writer did not know yet is 0.</summary>
    public bool IsAsIn(ZipEntry central)
    {
        if (Method != central.Method || (Flags & (DescriptorFlag | EncryptedFlags)) != (central.Flags & (DescriptorFlag | EncryptedFlags)))
            return false;
        return IsSame(Crc, central.Crc) && IsSame(PackedLength, central.PackedLength) && IsSame(Length, central.Length);

        bool IsSame(long here, long there) => here == there || (HasDescriptorFlag && here is 0 or InExtra);
    }

    /// <summary>Whether what lies between the data and the directory is what belongs there: nothing, or the descriptor (4.3.9).</summary>
    public bool HasDescriptor(ReadOnlySpan<byte> between)
    {
        if (!HasDescriptorFlag)
            return between.IsEmpty;
        if (between.Length is not (12 or 16 or 20 or LargestDescriptorLength))
            return false;

        // The signature is usual and not prescribed, and the lengths have 4 or 8 bytes.
        var hasSignature = between.Length is 16 or LargestDescriptorLength;
        var fields = hasSignature ? new ZipFields(between, DescriptorSignature) : new ZipFields(between);
        var isLarge = between.Length >= 20;
        return fields.UInt32() == Crc && fields.Length(isLarge) == PackedLength && fields.Length(isLarge) == Length;
    }

    private static ZipEntry Begin(ref ZipFields fields)
    {
        var (flags, method) = (fields.UInt16(), fields.UInt16());
        fields.Skip(4);
        return new ZipEntry(flags, method, fields.UInt32(), fields.UInt32(), fields.UInt32(), Offset: 0);
    }

    private ZipEntry WithLarge(ZipFields large)
    {
        var length = Length == InExtra ? large.Length(isLarge: true) : Length;
        var packedLength = PackedLength == InExtra ? large.Length(isLarge: true) : PackedLength;
        var offset = Offset == InExtra ? large.Length(isLarge: true) : Offset;
        return this with { Length = length, PackedLength = packedLength, Offset = offset };
    }

    private void RefuseUnknown()
    {
        if ((Flags & EncryptedFlags) != 0)
            throw new UnsafeContentException("zip-encrypted", "the zip file is encrypted.");
        if ((Flags & ~KnownFlags) != 0)
            throw WrapperRefusal.Unsupported(Wrapper.Zip, $"the flags 0x{Flags:x4}");
        if (Method is not (Stored or Deflated))
            throw WrapperRefusal.Unsupported(Wrapper.Zip, $"the compression method {Method}");
        if (Method is Stored && PackedLength != Length)
            throw ZipMember.Contradiction();
    }
}
