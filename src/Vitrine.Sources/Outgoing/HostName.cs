namespace Vitrine.Sources.Outgoing;

/// <summary>What a name of a host looks like: RFC 1123, and the underscore that real names have.</summary>
internal static class HostName
{
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    /// <param name="name">In lower case, in its ASCII form, without the dot at the end.</param>
    public static bool IsValid(string name)
    {
        if (name.Length is 0 or > MaxLength)
            return false;

        var labels = name.Split('.');
        return Array.TrueForAll(labels, IsLabel) && !EndsInNumber(labels);
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MaxLabelLength
        && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_')
        && label[0] != '-' && label[^1] != '-';

    /// <summary>
    /// Resolvers take 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 for addresses. No real top-level domain is a number, so a name
    /// that ends in one is such a spelling (the "ends in a number" rule of the WHATWG URL standard).
    /// </summary>
    private static bool EndsInNumber(string[] labels)
    {
        var last = labels[^1];
        return last.All(char.IsAsciiDigit) || (last.StartsWith("0x", StringComparison.Ordinal) && last[2..].All(char.IsAsciiHexDigit));
    }
}
