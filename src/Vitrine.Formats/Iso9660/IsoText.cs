using System.Text;

namespace Vitrine.Formats.Iso9660;

/// <summary>How text is spelt in one of the two hierarchies of a medium: as ASCII, or as UCS-2 in Joliet's.</summary>
internal sealed class IsoText
{
    public static readonly IsoText Ascii = new(Encoding.ASCII);
    public static readonly IsoText Ucs2 = new(Encoding.BigEndianUnicode);

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Encoding _encoding;

    private IsoText(Encoding encoding) => _encoding = encoding;

    public bool IsUcs2 => this == Ucs2;

    /// <summary>Fills a field, cutting what does not fit and padding with spaces.</summary>
    public void Write(Span<byte> field, string text)
    {
        var width = IsUcs2 ? 2 : 1;
        var characters = field.Length / width;
        _encoding.GetBytes(text.Length > characters ? text.AsSpan(0, characters) : text.PadRight(characters), field);
    }

    public byte[] GetBytes(string name) => _encoding.GetBytes(name);

    /// <summary>Bytes of unknown make, as UTF-8 where they are that and as Latin-1 where they are not.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }

    /// <exception cref="ArgumentException">It is no text: it has half a surrogate pair.</exception>
    public static byte[] GetUtf8(string name) => StrictUtf8.GetBytes(name);
}
