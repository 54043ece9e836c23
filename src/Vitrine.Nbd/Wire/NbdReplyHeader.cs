namespace Vitrine.Nbd.Wire;

/// <summary>Writes what stands before the data of a reply. Every field is big-endian.</summary>
internal static class NbdReplyHeader
{
    /// <summary>How long a simple reply is without its data.</summary>
    public const int SimpleLength = 16;

    /// <summary>How long the head of each chunk of a structured reply is.</summary>
    public const int ChunkLength = 20;

    /// <summary>How long a chunk is that carries data, without the data.</summary>
    public const int DataLength = ChunkLength + sizeof(ulong);

    /// <summary>How long a chunk is that stands for zeros.</summary>
    public const int HoleLength = ChunkLength + sizeof(ulong) + sizeof(uint);

    /// <summary>How long a chunk is that says how a request failed.</summary>
    public const int ErrorLength = ChunkLength + sizeof(uint) + sizeof(ushort);

    /// <summary>How long a chunk is that says how a request failed, and where.</summary>
    public const int ErrorOffsetLength = ErrorLength + sizeof(ulong);

    /// <summary>How long a chunk of block status is, without its descriptors.</summary>
    public const int BlockStatusLength = ChunkLength + sizeof(uint);

    private const uint SimpleMagic = 0x6744_6698;
    private const uint StructuredMagic = 0x668e_33ef;
    private const ushort Done = 1; // NBD_REPLY_FLAG_DONE

    /// <remarks>
    /// <code>
    ///  0       4       8             16
    ///  +-------+-------+-------------+
    ///  | magic | error |   cookie    |  then the data, for a read that did not fail
    ///  +-------+-------+-------------+
    /// </code>
    /// </remarks>
    public static void WriteSimple(Span<byte> room, ulong cookie, NbdError error)
    {
        var writer = new BigEndianWriter(room);
        writer.Write(SimpleMagic);
        writer.Write((uint)error);
        writer.Write(cookie);
    }

    /// <remarks>
    /// <code>
    ///  0      20           28
    ///  +------+------------+
    ///  | head |   offset   |  then the data
    ///  +------+------------+
    /// </code>
    /// </remarks>
    public static void WriteData(Span<byte> room, ulong cookie, ulong offset, int length, bool isLast)
    {
        var writer = Begin(room, cookie, NbdChunk.OffsetData, sizeof(ulong) + (uint)length, isLast);
        writer.Write(offset);
    }

    /// <remarks>
    /// <code>
    ///  0      20           28       32
    ///  +------+------------+--------+
    ///  | head |   offset   | length |
    ///  +------+------------+--------+
    /// </code>
    /// </remarks>
    public static void WriteHole(Span<byte> room, ulong cookie, ulong offset, int length, bool isLast)
    {
        var writer = Begin(room, cookie, NbdChunk.OffsetHole, HoleLength - ChunkLength, isLast);
        writer.Write(offset);
        writer.Write((uint)length);
    }

    /// <remarks>
    /// <code>
    ///  0      20        24
    ///  +------+---------+
    ///  | head | context |  then the descriptors, of NbdBlockStatus
    ///  +------+---------+
    /// </code>
    /// </remarks>
    public static void WriteBlockStatus(Span<byte> room, ulong cookie, uint context, int descriptorsLength)
    {
        var writer = Begin(room, cookie, NbdChunk.BlockStatus, sizeof(uint) + (uint)descriptorsLength, isLast: true);
        writer.Write(context);
    }

    /// <remarks>
    /// <code>
    ///  0      20      24               26
    ///  +------+-------+----------------+
    ///  | head | error | message length |  then the message, which we leave out
    ///  +------+-------+----------------+
    /// </code>
    /// </remarks>
    public static void WriteError(Span<byte> room, ulong cookie, NbdError error)
    {
        var writer = Begin(room, cookie, NbdChunk.Error, ErrorLength - ChunkLength, isLast: true);
        writer.Write((uint)error);
        writer.Write((ushort)0);
    }

    /// <remarks>
    /// <code>
    ///  0      20      24               26           34
    ///  +------+-------+----------------+------------+
    ///  | head | error | message length |   offset   |
    ///  +------+-------+----------------+------------+
    /// </code>
    /// </remarks>
    public static void WriteErrorOffset(Span<byte> room, ulong cookie, NbdError error, ulong offset)
    {
        var writer = Begin(room, cookie, NbdChunk.ErrorOffset, ErrorOffsetLength - ChunkLength, isLast: true);
        writer.Write((uint)error);
        writer.Write((ushort)0);
        writer.Write(offset);
    }

    /// <summary>A success that carries nothing.</summary>
    public static void WriteNothing(Span<byte> room, ulong cookie) => Begin(room, cookie, NbdChunk.None, length: 0, isLast: true);

    /// <remarks>
    /// The head of every chunk:
    /// <code>
    ///  0       4       6      8             16       20
    ///  +-------+-------+------+-------------+--------+
    ///  | magic | flags | type |   cookie    | length |  then so many bytes
    ///  +-------+-------+------+-------------+--------+
    /// </code>
    /// </remarks>
    private static BigEndianWriter Begin(Span<byte> room, ulong cookie, NbdChunk type, uint length, bool isLast)
    {
        var writer = new BigEndianWriter(room);
        writer.Write(StructuredMagic);
        writer.Write(isLast ? Done : (ushort)0);
        writer.Write((ushort)type);
        writer.Write(cookie);
        writer.Write(length);
        return writer;
    }
}
