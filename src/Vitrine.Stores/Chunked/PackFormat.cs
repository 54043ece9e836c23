using System.Buffers.Binary;

namespace Vitrine.Stores.Chunked;

/// <summary>A pack's bytes, as docs/formats/store.md draws them. All numbers are little-endian.</summary>
/// <remarks>
/// <code>
/// head     0 "VtrPack1"   8 id (16)
/// frame*   0 "VSEG"   4 stored length   8 plain length   12 coding (1)   13 zero (1)   14 number of lengths (2)   16 CRC of the stored bytes
///         20 CRC of the 20 bytes before and of the lengths   24 lengths (2 each)   … stored bytes
/// blocks*  0 name (24)   24 length (2)
/// segment* 0 offset of the stored bytes   4 stored length   8 plain length   12 CRC of the stored bytes   16 coding (1)   17 zeros (3)
/// foot     0 "VtrEnd01"   8 segments   12 blocks   16 CRC of the segments   20 CRC of the blocks   24 plain length   28 CRC of the 28 before
/// </code>
/// A frame says how long its blocks are only where not all are of 4,096 bytes. Frames alone are enough to go on with a pack whose
/// writer died; the tables behind them are for those who read.
/// </remarks>
internal static class PackFormat
{
    public const int BlockLength = 4096;

    /// <summary>No segment has more blocks.</summary>
    public const int MostBlocks = 64;

    /// <summary>No segment means more bytes.</summary>
    public const int MaxSegment = MostBlocks * BlockLength;

    public const int HeadLength = 24;
    public const int FrameHeaderLength = 24;
    public const int BlockRecordLength = BlockName.Length + 2;
    public const int SegmentRecordLength = 20;
    public const int FootLength = 32;

    /// <summary>No frame has more bytes before its stored ones.</summary>
    public const int MaxFrameHeader = FrameHeaderLength + 2 * MostBlocks;

    private const uint FrameMagic = 0x4745_5356; // "VSEG"

    public static byte[] WriteHead(Guid id)
    {
        var head = new byte[HeadLength];
        "VtrPack1"u8.CopyTo(head);
        id.TryWriteBytes(head.AsSpan(8), bigEndian: true, out _);
        return head;
    }

    public static bool IsHead(ReadOnlySpan<byte> bytes, Guid id) => bytes.SequenceEqual(WriteHead(id));

    /// <param name="lengths">Of the segment's blocks; empty where all are whole.</param>
    public static int WriteFrameHeader(Span<byte> bytes, SegmentEntry segment, ReadOnlySpan<ushort> lengths)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, FrameMagic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], segment.StoredLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], segment.PlainLength);
        bytes[12] = (byte)segment.Coding;
        bytes[13] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[14..], (ushort)lengths.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], segment.Checksum);
        for (var i = 0; i < lengths.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[(FrameHeaderLength + 2 * i)..], lengths[i]);

        BinaryPrimitives.WriteUInt32LittleEndian(bytes[20..], FrameChecksum(bytes, lengths.Length));
        return FrameHeaderLength + 2 * lengths.Length;
    }

    /// <param name="bytes">The frame's header, and what may be its lengths.</param>
    /// <param name="offset">Of the frame in the pack.</param>
    /// <returns>Null where there is no whole frame header: the pack's good part ends here.</returns>
    public static (SegmentEntry Segment, ushort[] Lengths)? ReadFrameHeader(ReadOnlySpan<byte> bytes, long offset, uint plainStart)
    {
        if (bytes.Length < FrameHeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != FrameMagic)
            return null;

        var count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]);
        var headerLength = FrameHeaderLength + 2 * count;
        if (count > MostBlocks || bytes.Length < headerLength || BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) != FrameChecksum(bytes, count))
            return null;

        var segment = new SegmentEntry(
            (uint)(offset + headerLength),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
            plainStart,
            BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]),
            (SegmentCoding)bytes[12]);
        if (!segment.IsPossible)
            return null;

        var lengths = new ushort[count];
        for (var i = 0; i < count; i++)
            lengths[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(FrameHeaderLength + 2 * i)..]);

        return (segment, lengths);
    }

    /// <summary>Everything behind a pack's frames.</summary>
    public static byte[] WriteTables(IReadOnlyList<SegmentEntry> segments, IReadOnlyList<PackedBlock> blocks)
    {
        var bytes = new byte[blocks.Count * BlockRecordLength + segments.Count * SegmentRecordLength + FootLength];
        var blockBytes = bytes.AsSpan(0, blocks.Count * BlockRecordLength);
        var segmentBytes = bytes.AsSpan(blockBytes.Length, segments.Count * SegmentRecordLength);
        var foot = bytes.AsSpan(blockBytes.Length + segmentBytes.Length);
        for (var i = 0; i < blocks.Count; i++)
        {
            var record = blockBytes[(i * BlockRecordLength)..];
            blocks[i].Name.Write(record);
            BinaryPrimitives.WriteUInt16LittleEndian(record[BlockName.Length..], blocks[i].Length);
        }

        for (var i = 0; i < segments.Count; i++)
        {
            var record = segmentBytes[(i * SegmentRecordLength)..];
            BinaryPrimitives.WriteUInt32LittleEndian(record, segments[i].Offset);
            BinaryPrimitives.WriteInt32LittleEndian(record[4..], segments[i].StoredLength);
            BinaryPrimitives.WriteInt32LittleEndian(record[8..], segments[i].PlainLength);
            BinaryPrimitives.WriteUInt32LittleEndian(record[12..], segments[i].Checksum);
            record[16] = (byte)segments[i].Coding;
        }

        "VtrEnd01"u8.CopyTo(foot);
        BinaryPrimitives.WriteInt32LittleEndian(foot[8..], segments.Count);
        BinaryPrimitives.WriteInt32LittleEndian(foot[12..], blocks.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(foot[16..], Checksum32.Of(segmentBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(foot[20..], Checksum32.Of(blockBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(foot[24..], segments.Count == 0 ? 0 : segments[^1].PlainEnd);
        BinaryPrimitives.WriteUInt32LittleEndian(foot[28..], Checksum32.Of(foot[..28]));
        return bytes;
    }

    /// <returns>Null where it is no pack's foot.</returns>
    public static PackFoot? ReadFoot(ReadOnlySpan<byte> foot, long packLength)
    {
        if (foot.Length != FootLength || !foot.StartsWith("VtrEnd01"u8)
            || BinaryPrimitives.ReadUInt32LittleEndian(foot[28..]) != Checksum32.Of(foot[..28]))
            return null;

        var read = new PackFoot(
            BinaryPrimitives.ReadInt32LittleEndian(foot[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(foot[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(foot[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(foot[20..]),
            packLength);
        return read is { Segments: >= 0, Blocks: >= 0, BlocksOffset: >= HeadLength } ? read : null;
    }

    /// <returns>Null where the bytes are not those that were written.</returns>
    public static SegmentEntry[]? ReadSegments(ReadOnlySpan<byte> bytes, PackFoot foot)
    {
        if (Checksum32.Of(bytes) != foot.SegmentsChecksum)
            return null;

        var segments = new SegmentEntry[foot.Segments];
        var plain = 0u;
        for (var i = 0; i < segments.Length; i++)
        {
            var record = bytes[(i * SegmentRecordLength)..];
            segments[i] = new SegmentEntry(
                BinaryPrimitives.ReadUInt32LittleEndian(record),
                BinaryPrimitives.ReadInt32LittleEndian(record[4..]),
                plain,
                BinaryPrimitives.ReadInt32LittleEndian(record[8..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[12..]),
                (SegmentCoding)record[16]);
            if (!segments[i].IsPossible)
                return null;

            plain = segments[i].PlainEnd;
        }

        return segments;
    }

    /// <returns>Null where the bytes are not those that were written.</returns>
    public static PackedBlock[]? ReadBlocks(ReadOnlySpan<byte> bytes, PackFoot foot)
    {
        if (Checksum32.Of(bytes) != foot.BlocksChecksum)
            return null;

        var blocks = new PackedBlock[foot.Blocks];
        for (var i = 0; i < blocks.Length; i++)
        {
            var record = bytes[(i * BlockRecordLength)..];
            blocks[i] = new PackedBlock(BlockName.Read(record), BinaryPrimitives.ReadUInt16LittleEndian(record[BlockName.Length..]));
        }

        return blocks;
    }

    private static uint FrameChecksum(ReadOnlySpan<byte> frame, int lengths)
    {
        // All of the header but the sum itself, which stands before the lengths.
        const int before = FrameHeaderLength - sizeof(uint);
        Span<byte> covered = stackalloc byte[before + 2 * MostBlocks];
        frame[..before].CopyTo(covered);
        frame.Slice(FrameHeaderLength, 2 * lengths).CopyTo(covered[before..]);
        return Checksum32.Of(covered[..(before + 2 * lengths)]);
    }
}

/// <summary>A segment of a pack: some blocks, one after the other, compressed together.</summary>
/// <param name="Offset">Of its stored bytes in the pack.</param>
/// <param name="PlainStart">Where it begins in what the pack's segments mean, one after the other.</param>
/// <param name="Checksum">Of the stored bytes.</param>
internal readonly record struct SegmentEntry(uint Offset, int StoredLength, uint PlainStart, int PlainLength, uint Checksum, SegmentCoding Coding)
{
    public uint PlainEnd => PlainStart + (uint)PlainLength;

    public uint End => Offset + (uint)StoredLength;

    public bool IsPossible => PlainLength is > 0 and <= PackFormat.MaxSegment && StoredLength > 0 && StoredLength <= PlainLength
        && Coding is SegmentCoding.Raw or SegmentCoding.Zstd;
}

/// <param name="Segments">How many.</param>
/// <param name="Blocks">How many.</param>
internal readonly record struct PackFoot(int Segments, int Blocks, uint SegmentsChecksum, uint BlocksChecksum, long PackLength)
{
    public long SegmentsLength => (long)Segments * PackFormat.SegmentRecordLength;

    public long BlocksLength => (long)Blocks * PackFormat.BlockRecordLength;

    public long SegmentsOffset => PackLength - PackFormat.FootLength - SegmentsLength;

    public long BlocksOffset => SegmentsOffset - BlocksLength;
}
