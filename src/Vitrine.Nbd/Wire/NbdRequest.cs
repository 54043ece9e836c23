namespace Vitrine.Nbd.Wire;

/// <summary>What a client asks for once the handshake is over.</summary>
/// <remarks>
/// The header as the NBD protocol document draws it, every field big-endian:
/// <code>
///  0       4       6      8             16             24       28
///  +-------+-------+------+-------------+--------------+--------+
///  | magic | flags | type |   cookie    |    offset    | length |  then the data, for a write
///  +-------+-------+------+-------------+--------------+--------+
/// </code>
/// </remarks>
internal readonly record struct NbdRequest(
    NbdCommandFlags Flags, NbdCommand Command, ulong Cookie, ulong Offset, uint Length)
{
    public const int HeaderLength = 28;
    private const uint Magic = 0x2560_9513;

    /// <returns>False until a whole header has arrived.</returns>
    /// <exception cref="NbdProtocolException">The bytes are not a request.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NbdRequest request)
    {
        request = default;
        if (bytes.Length < HeaderLength)
            return false;

        var reader = new BigEndianReader(bytes);
        if (reader.ReadUInt32() != Magic)
            throw new NbdProtocolException("A request does not begin with the request magic.");

        request = new NbdRequest(
            (NbdCommandFlags)reader.ReadUInt16(),
            (NbdCommand)reader.ReadUInt16(),
            Cookie: reader.ReadUInt64(),
            Offset: reader.ReadUInt64(),
            Length: reader.ReadUInt32());
        return true;
    }
}
