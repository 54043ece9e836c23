using System.Diagnostics.CodeAnalysis;
using System.Text;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Handshake;

/// <summary>Text on the wire: UTF-8 that is held to be that, and no longer than the protocol has it.</summary>
internal static class NbdText
{
    /// <summary>In bytes. The protocol's bound for every string.</summary>
    public const int MaxLength = 4096;

    private static readonly UTF8Encoding Encoding = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (bytes.Length > MaxLength)
            return false;

        try
        {
            text = Encoding.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>Reads a length of 32 bits and so many bytes of text.</summary>
    public static bool TryReadCounted(ref BigEndianReader reader, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (reader.Remaining < sizeof(uint))
            return false;

        var length = reader.ReadUInt32();
        return length <= reader.Remaining && TryRead(reader.ReadBytes((int)length), out text);
    }

    /// <remarks>What is longer than the protocol allows is cut; what cannot be encoded becomes question marks of its kind.</remarks>
    public static byte[] Write(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        return bytes.Length <= MaxLength ? bytes : bytes[..MaxLength];
    }
}
