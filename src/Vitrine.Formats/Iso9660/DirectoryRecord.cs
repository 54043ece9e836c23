using System.Buffers.Binary;

namespace Vitrine.Formats.Iso9660;

/// <summary>One name in a directory, and where its content is: ECMA-119, 9.1.</summary>
/// <remarks>
/// Numbers of eight and four bytes are written twice, little-endian and then big-endian; readers go by the first:
/// <code>
///   0  length of the record    1  length of attributes    2  sector (8)    10  length of the content (8)
///  18  time (7)               25  flags                  26  unit size     27  gap size    28  number of the volume (4)
///  32  length of the name     33  name, then a zero byte if its length is even, then what the system uses
/// </code>
/// The names 0 and 1 are the directory itself and the one above it.
/// </remarks>
internal sealed record DirectoryRecord(
    uint Sector, uint ContentLength, DirectoryFlags Flags, bool IsInterleaved, ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> SystemUse)
{
    /// <summary>How long a record may be: its length is one byte, and even.</summary>
    public const int MostLength = 254;

    private const int NameOffset = 33;

    public bool IsDirectory => Flags.HasFlag(DirectoryFlags.Directory);

    public bool IsSelf => Name.Span is [0];

    public bool IsParent => Name.Span is [1];

    /// <param name="bytes">From the record's first byte to the end of its sector.</param>
    /// <returns>Null where no record can be.</returns>
    public static DirectoryRecord? TryRead(ReadOnlyMemory<byte> bytes)
    {
        var record = bytes.Span;
        if (record.Length <= NameOffset || record[0] > record.Length || record[0] < NameOffset + record[32] || record[32] == 0)
            return null;

        var nameLength = record[32];
        var systemUse = Math.Min(HeadLength(nameLength), record[0]);
        return new DirectoryRecord(
            // Attributes, where there are any, stand before the content.
            BinaryPrimitives.ReadUInt32LittleEndian(record[2..]) + record[1],
            BinaryPrimitives.ReadUInt32LittleEndian(record[10..]),
            (DirectoryFlags)record[25],
            IsInterleaved: record[26] != 0 || record[27] != 0,
            bytes.Slice(NameOffset, nameLength),
            bytes[systemUse..record[0]]);
    }

    /// <summary>The length of a record without what the system uses.</summary>
    public static int HeadLength(int nameLength) => NameOffset + nameLength + (nameLength % 2 == 0 ? 1 : 0);

    /// <returns>The length of the record.</returns>
    public static int Write(
        Span<byte> bytes, ReadOnlySpan<byte> name, uint sector, uint contentLength, DateTimeOffset time, DirectoryFlags flags, ReadOnlySpan<byte> systemUse)
    {
        var systemUseOffset = HeadLength(name.Length);
        var length = systemUseOffset + systemUse.Length + systemUse.Length % 2;
        bytes[0] = (byte)length;
        BothEndian.Write(bytes[2..], sector);
        BothEndian.Write(bytes[10..], contentLength);
        IsoTime.Write(bytes[18..], time);
        bytes[25] = (byte)flags;
        BothEndian.Write(bytes[28..], (ushort)1);
        bytes[32] = (byte)name.Length;
        name.CopyTo(bytes[NameOffset..]);
        systemUse.CopyTo(bytes[systemUseOffset..]);
        return length;
    }
}

[Flags]
internal enum DirectoryFlags : byte
{
    None = 0,
    Directory = 1 << 1,

    /// <summary>A second fork of the file before it, as Apple's systems have.</summary>
    Associated = 1 << 2,

    /// <summary>The next record goes on with the same file.</summary>
    Continued = 1 << 7,
}
