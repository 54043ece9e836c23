using System.Buffers.Binary;

namespace Vitrine.Formats.Vhdx;

/// <summary>An entry of a VHDX log ([MS-VHDX] 2.3.1): in whole sectors of 4 KiB, first the header and the descriptors, then a sector of data for each descriptor of data.</summary>
/// <remarks>
/// Every field is little-endian. The header of 64 bytes, and the two kinds of descriptors of 32 bytes:
/// <code>
///   0  loge     4  checksum            8  entry length    12  tail               16  sequence number (8)
///  24  descriptors                    32  log id (16)     48  flushed length (8) 56  last length (8)
///
///   0  zero     4  reserved            8  length (8)      16  file offset (8)    24  sequence number (8)
///   0  desc     4  last 4 bytes        8  first 8 bytes   16  file offset (8)    24  sequence number (8)
/// </code>
/// A sector of data holds what lies between those first and last bytes of a page:
/// <code>
///   0  data     4  sequence number, high half    8  bytes 8 to 4091 of the page    4092  sequence number, low half
/// </code>
/// </remarks>
/// <param name="Offset">Where in the log it begins.</param>
/// <param name="Tail">Where in the log the sequence begins that this entry ends.</param>
/// <param name="FlushedLength">How long the file was, certainly, when this was written.</param>
/// <param name="LastLength">How long the file is to be at least.</param>
internal readonly record struct VhdxLogEntry(
    int Offset, int Length, uint Tail, ulong Sequence, int Descriptors, ulong FlushedLength, ulong LastLength)
{
    /// <summary>Of a sector of the log, and of a page that it changes.</summary>
    public const int SectorSize = 4 * 1024;

    public const int HeaderLength = 64;
    public const int DescriptorLength = 32;

    private const int PageStartLength = 8;
    private const int PageEndLength = 4;

    /// <summary>Where the sectors of data begin, from the entry's start.</summary>
    public int DataOffset => (HeaderLength + Descriptors * DescriptorLength + SectorSize - 1) / SectorSize * SectorSize;

    /// <summary>Reads the entry that begins somewhere in the log.</summary>
    /// <param name="log">The log twice in a row, so that an entry that goes on at the log's start lies in one piece.</param>
    /// <returns>Null where none does that is whole and of that id.</returns>
    public static VhdxLogEntry? TryRead(ReadOnlySpan<byte> log, int offset, Guid id, ref long hashed)
    {
        var bytes = log[offset..];
        if (!bytes.StartsWith("loge"u8) || new Guid(bytes.Slice(32, 16)) != id)
            return null;

        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        var descriptors = BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
        if (length == 0 || length % SectorSize != 0 || length > log.Length / 2 || descriptors > (length - HeaderLength) / DescriptorLength)
            return null;

        var entry = new VhdxLogEntry(
            offset, (int)length,
            Tail: BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            Sequence: BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            (int)descriptors,
            FlushedLength: BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]),
            LastLength: BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]));
        hashed += length;
        bytes = bytes[..entry.Length];
        return entry.Sequence != 0 && VhdxChecksum.IsRight(bytes) && entry.IsComplete(bytes) ? entry : null;
    }

    /// <summary>The page that a descriptor of data makes, put together.</summary>
    public static byte[] ReadPage(ReadOnlySpan<byte> descriptor, ReadOnlySpan<byte> sector)
    {
        var page = new byte[SectorSize];
        descriptor.Slice(8, PageStartLength).CopyTo(page);
        sector[8..^PageEndLength].CopyTo(page.AsSpan(PageStartLength));
        descriptor.Slice(4, PageEndLength).CopyTo(page.AsSpan(SectorSize - PageEndLength));
        return page;
    }

    public static bool IsZero(ReadOnlySpan<byte> descriptor) => descriptor.StartsWith("zero"u8);

    // Each part repeats the sequence number, so that what an older entry left is not taken for this one's.
    private bool IsComplete(ReadOnlySpan<byte> entry)
    {
        var data = DataOffset;
        for (var i = 0; i < Descriptors; i++)
        {
            var descriptor = entry.Slice(HeaderLength + i * DescriptorLength, DescriptorLength);
            if (BinaryPrimitives.ReadUInt64LittleEndian(descriptor[24..]) != Sequence)
                return false;
            if (IsZero(descriptor))
                continue;
            if (!descriptor.StartsWith("desc"u8) || data > entry.Length - SectorSize || !IsData(entry.Slice(data, SectorSize)))
                return false;

            data += SectorSize;
        }

        return true;
    }

    private bool IsData(ReadOnlySpan<byte> sector) => sector.StartsWith("data"u8)
        && BinaryPrimitives.ReadUInt32LittleEndian(sector[4..]) == (uint)(Sequence >> 32)
        && BinaryPrimitives.ReadUInt32LittleEndian(sector[^PageEndLength..]) == (uint)Sequence;
}
