using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Vitrine.Content;

/// <summary>A sum that a publisher or caller states for a file, to be held against the bytes that arrive.</summary>
/// <param name="Algorithm">One of MD5, SHA1, SHA224, SHA256, SHA384, SHA512.</param>
/// <param name="Hex">The sum in lower-case hexadecimal digits, as many as the algorithm has.</param>
public sealed record Checksum(ChecksumAlgorithm Algorithm, string Hex)
{
    private static readonly FrozenDictionary<int, ChecksumAlgorithm> ByHexLength =
        Enum.GetValues<ChecksumAlgorithm>().ToFrozenDictionary(a => a.HexLength());

    /// <summary>
    /// Reads <c>sha256:…</c>, <c>{SHA-256}…</c> (CloudStack's spelling) or bare digits, whose number names the algorithm.
    /// Letter case does not matter.
    /// </summary>
    /// <exception cref="InvalidFieldException">The text is none of these.</exception>
    public static Checksum Parse(string text, string field = "checksum")
    {
        var (name, hex) = Split(text.Trim());
        if (hex.Length == 0 || !hex.All(char.IsAsciiHexDigit))
            throw new InvalidFieldException(field, "a checksum is made of hexadecimal digits, as in sha256:9f86d0…");

        if (name is null)
            return ByHexLength.TryGetValue(hex.Length, out var guessed)
                ? new Checksum(guessed, hex.ToLowerInvariant())
                : throw new InvalidFieldException(field, $"no algorithm has sums of {hex.Length} digits (md5 has 32, sha1 40, sha224 56, sha256 64, sha384 96, sha512 128)");

        if (!ChecksumAlgorithms.TryParse(name, out var algorithm))
            throw new InvalidFieldException(field, $"unknown algorithm '{Shown(name)}'; use md5, sha1, sha224, sha256, sha384 or sha512");

        return hex.Length == algorithm.HexLength()
            ? new Checksum(algorithm, hex.ToLowerInvariant())
            : throw new InvalidFieldException(field, $"{algorithm.Name()} has {algorithm.HexLength()} digits, not {hex.Length}");
    }

    public override string ToString() => $"{Algorithm.Name()}:{Hex}";

    private static (string? Name, string Hex) Split(string text)
    {
        if (text.StartsWith('{') && text.IndexOf('}', StringComparison.Ordinal) is > 0 and var close)
            return (text[1..close], text[(close + 1)..]);

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (null, text) : (text[..colon], text[(colon + 1)..]);
    }

    private static string Shown(string name) => name.Length <= 20 ? name : name[..20] + "…";
}

public enum ChecksumAlgorithm
{
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

public static class ChecksumAlgorithms
{
    /// <summary>The name in lower case without a dash: <c>sha256</c>.</summary>
    public static string Name(this ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Md5 => "md5",
        ChecksumAlgorithm.Sha1 => "sha1",
        ChecksumAlgorithm.Sha224 => "sha224",
        ChecksumAlgorithm.Sha256 => "sha256",
        ChecksumAlgorithm.Sha384 => "sha384",
        ChecksumAlgorithm.Sha512 => "sha512",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    public static int HexLength(this ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Md5 => 2 * MD5.HashSizeInBytes,
        ChecksumAlgorithm.Sha1 => 2 * SHA1.HashSizeInBytes,
        ChecksumAlgorithm.Sha224 => 56,
        ChecksumAlgorithm.Sha256 => 2 * SHA256.HashSizeInBytes,
        ChecksumAlgorithm.Sha384 => 2 * SHA384.HashSizeInBytes,
        ChecksumAlgorithm.Sha512 => 2 * SHA512.HashSizeInBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    /// <summary>Takes <c>sha256</c> and <c>sha-256</c> in either letter case.</summary>
    public static bool TryParse(string name, out ChecksumAlgorithm algorithm) =>
        EnumWords.TryParse(name.Replace("-", "", StringComparison.Ordinal), out algorithm);
}
