using System.Globalization;

namespace Vitrine.Sources.Http;

/// <summary>A <c>Content-Range</c> of bytes, RFC 9110 section 14.4.</summary>
/// <remarks>
/// <code>
/// bytes 100-199/200     what is sent, of how much
/// bytes 100-199/*       what is sent, of who knows how much
/// bytes */200           nothing could be sent, of this much
/// </code>
/// </remarks>
/// <param name="First">Null where nothing could be sent.</param>
internal readonly record struct ServedRange(long? First, long? Last, long? Total)
{
    private const string Unit = "bytes ";

    /// <returns>Null unless it is exactly one of the three, and its numbers fit together.</returns>
    public static ServedRange? TryParse(string? text)
    {
        if (text is null || !text.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
            return null;

        var parts = text[Unit.Length..].Split('/');
        if (parts.Length != 2 || !TryTotal(parts[1], out var total))
            return null;

        if (parts[0] == "*")
            return total is null ? null : new ServedRange(null, null, total);

        var ends = parts[0].Split('-');
        return ends.Length == 2 && TryNumber(ends[0], out var first) && TryNumber(ends[1], out var last)
            && first <= last && (total is null || last < total)
            ? new ServedRange(first, last, total)
            : null;
    }

    private static bool TryTotal(string text, out long? total)
    {
        total = null;
        if (text == "*")
            return true;

        var read = TryNumber(text, out var number);
        total = number;
        return read;
    }

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
