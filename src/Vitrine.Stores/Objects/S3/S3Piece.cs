using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Vitrine.Stores.Objects.S3;

/// <summary>A part of an object that grows, kept as an object of its own, because an object in a bucket cannot be appended to.</summary>
/// <remarks>
/// A piece says: the object is so long, whatever was behind that is given up, and these bytes follow. Its name holds all that is
/// needed to put the object together from a list, whichever pieces a crash left, were cut away or arrive late:
/// <code>
/// staging/a.log_0000000300000007_0000000000001a00
///               epoch   count    start
/// </code>
/// Names of objects hold no underscore, so no piece is taken for one. Each appender of an object has an epoch of its own: what an
/// earlier one had under way when it died can arrive at any time, and counts as long ago.
/// </remarks>
/// <param name="Name">Of the object that grows.</param>
/// <param name="Number">The order of pieces: epoch and count.</param>
/// <param name="Start">Where in the object it begins.</param>
/// <param name="Length">In bytes. A piece of none only cuts.</param>
internal sealed record S3Piece(string Name, ulong Number, long Start, long Length)
{
    private const char Separator = '_';
    private const int HexLength = 16;
    private const int CountBits = 32;

    public long End => Start + Length;

    public string ObjectName => $"{PrefixOf(Name)}{Number:x16}{Separator}{Start:x16}";

    /// <summary>What the names of all pieces of an object begin with, and of nothing else.</summary>
    public static string PrefixOf(string name) => name + Separator;

    public static bool TryParse(string objectName, long length, [NotNullWhen(true)] out S3Piece? piece)
    {
        piece = objectName.Split(Separator) is [var name, { Length: HexLength } number, { Length: HexLength } start]
            && ulong.TryParse(number, NumberStyles.AllowHexSpecifier, null, out var parsedNumber)
            && long.TryParse(start, NumberStyles.AllowHexSpecifier, null, out var parsedStart)
            && parsedStart >= 0
            ? new S3Piece(name, parsedNumber, parsedStart, length)
            : null;
        return piece is not null;
    }

    /// <summary>The number of the first piece of an appender that has found these.</summary>
    public static ulong NextEpoch(IEnumerable<S3Piece> found) => ((found.Select(p => p.Number).DefaultIfEmpty().Max() >> CountBits) + 1) << CountBits;

    /// <summary>Puts the object together: what of which piece follows what, without a gap, from its beginning.</summary>
    public static List<S3Piece> Assemble(IEnumerable<S3Piece> pieces)
    {
        var assembled = new List<S3Piece>();
        foreach (var piece in pieces.OrderBy(p => p.Number))
        {
            // Where what comes before it never arrived, nobody was told that it had been kept.
            if (piece.Start > (assembled.LastOrDefault()?.End ?? 0))
                continue;

            Cut(assembled, piece.Start);
            if (piece.Length > 0)
                assembled.Add(piece);
        }

        return assembled;
    }

    private static void Cut(List<S3Piece> assembled, long length)
    {
        assembled.RemoveAll(p => p.Start >= length);
        if (assembled.LastOrDefault() is { } last && last.End > length)
            assembled[^1] = last with { Length = length - last.Start };
    }
}
