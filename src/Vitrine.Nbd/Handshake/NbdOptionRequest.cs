using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Handshake;

/// <summary>The head of what a client asks for before it has an export.</summary>
/// <remarks>
/// <code>
///  0            8        12       16
///  +------------+--------+--------+
///  | "IHAVEOPT" | option | length |  then so many bytes
///  +------------+--------+--------+
/// </code>
/// </remarks>
internal readonly record struct NbdOptionRequest(NbdOption Option, uint Length)
{
    public const int HeaderLength = 16;
    private const ulong Magic = 0x4948_4156_454F_5054;

    /// <exception cref="NbdProtocolException">The bytes are not an option.</exception>
    public static NbdOptionRequest Read(ReadOnlySpan<byte> header)
    {
        var reader = new BigEndianReader(header);
        if (reader.ReadUInt64() != Magic)
            throw new NbdProtocolException("An option does not begin with the option magic.");

        return new NbdOptionRequest((NbdOption)reader.ReadUInt32(), reader.ReadUInt32());
    }
}
