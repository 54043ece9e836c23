using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Vitrine.Content;

/// <summary>The SHA-256 of some content: the name under which every store keeps it.</summary>
public sealed record Digest
{
    private const int HexLength = 2 * SHA256.HashSizeInBytes;
    private const string Prefix = "sha256:";

    private Digest(string hex) => Hex = hex;

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public string Hex { get; }

    public static Digest Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    public static Digest FromHash(ReadOnlySpan<byte> sha256) => new(Convert.ToHexStringLower(sha256));

    /// <summary>Takes the digits with or without <c>sha256:</c> before them.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Digest? digest)
    {
        var hex = text is not null && text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : text;
        digest = hex?.Length == HexLength && hex.All(char.IsAsciiHexDigitLower) ? new Digest(hex) : null;
        return digest is not null;
    }

    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"'{text}' is not a SHA-256 digest.");

    public override string ToString() => Prefix + Hex;
}
