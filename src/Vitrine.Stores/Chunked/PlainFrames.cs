using System.Buffers.Binary;

namespace Vitrine.Stores.Chunked;

/// <summary>Zstandard frames that need no compressing: of zeros, and of bytes that do not shrink.</summary>
/// <remarks>
/// RFC 8878, section 3.1.1; numbers are little-endian:
/// <code>
/// zeros    0 magic (4)   4 descriptor 0x00   5 window descriptor (1)   … blocks
/// bytes    0 magic (4)   4 descriptor 0xA0: one segment, length in four bytes   5 length (4)   … blocks
/// block    0 last (bit 0), type (bits 1 and 2), length (the 21 bits above)   3 the bytes; of a run (type 1) the one byte that it is of
/// </code>
/// </remarks>
internal static class PlainFrames
{
    /// <summary>No block means more bytes, and the window of zeros has none more.</summary>
    private const int LongestBlock = 128 * 1024;

    private const byte WindowDescriptor = (17 - 10) << 3; // 2^17 is LongestBlock
    private const byte BytesDescriptor = 0xa0;
    private const int ZerosHeaderLength = 6;
    private const int BytesHeaderLength = 9;
    private const int BlockHeaderLength = 3;
    private const int RunLength = BlockHeaderLength + 1;
    private const int RawType = 0;
    private const int RunType = 1;

    /// <summary>So many zeros are one frame of 8 KiB, and more are several.</summary>
    private const int LongestZeros = 2048 * LongestBlock;

    private static readonly byte[] ManyZeros = ZerosFrame(LongestZeros);

    private static ReadOnlySpan<byte> Magic => [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>A frame that means nothing: one segment of no bytes, and a last block without any.</summary>
    public static ReadOnlyMemory<byte> Empty { get; } = new byte[] { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0 };

    /// <summary>Any number of zeros, of which some 32 KiB a GiB are made.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Zeros(long length)
    {
        for (; length >= LongestZeros; length -= LongestZeros)
            yield return ManyZeros;

        if (length > 0)
            yield return ZerosFrame((int)length);
    }

    /// <summary>A frame of bytes as they are, of which it takes no copy.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Bytes(ReadOnlyMemory<byte> bytes)
    {
        var header = new byte[BytesHeaderLength];
        Magic.CopyTo(header);
        header[Magic.Length] = BytesDescriptor;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(Magic.Length + 1), bytes.Length);
        yield return header;

        for (; bytes.Length > 0; bytes = bytes[Math.Min(bytes.Length, LongestBlock)..])
        {
            var length = Math.Min(bytes.Length, LongestBlock);
            var block = new byte[BlockHeaderLength];
            WriteBlockHeader(block, length, RawType, isLast: length == bytes.Length);
            yield return block;
            yield return bytes[..length];
        }
    }

    private static byte[] ZerosFrame(int length)
    {
        var blocks = (length + LongestBlock - 1) / LongestBlock;
        var frame = new byte[ZerosHeaderLength + blocks * RunLength];
        Magic.CopyTo(frame);
        frame[Magic.Length + 1] = WindowDescriptor;
        for (var i = 0; i < blocks; i++)
        {
            var rest = length - i * LongestBlock;
            WriteBlockHeader(frame.AsSpan(ZerosHeaderLength + i * RunLength), Math.Min(rest, LongestBlock), RunType, isLast: i == blocks - 1);
        }

        return frame;
    }

    private static void WriteBlockHeader(Span<byte> bytes, int length, int type, bool isLast)
    {
        var header = length << 3 | type << 1 | (isLast ? 1 : 0);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)header);
        bytes[2] = (byte)(header >> 16);
    }
}
