using System.Globalization;

namespace Vitrine.Sources.Http;

/// <summary>What marks one version of a source's file, so that the rest of another version is never appended to it.</summary>
/// <remarks>
/// As text it is what <see cref="Vitrine.Transfers.SourceReading.Validator"/> carries from one reading to the next:
/// <code>
/// "abc"                            a strong ETag
/// Wed, 21 Oct 2026 07:28:00 GMT    a Last-Modified
/// length=1048576                   neither: the length is all there is to compare; our own spelling
/// </code>
/// </remarks>
internal sealed record VersionMark
{
    private const int MaxLength = 512;
    private const string LengthPrefix = "length=";

    private VersionMark(string text, long? length) => (Text, Length) = (text, length);

    public string Text { get; }

    /// <summary>The whole length, where that is the mark.</summary>
    public long? Length { get; }

    /// <summary>What the server can compare itself; a length it cannot.</summary>
    public string? IfRange => Length is null ? Text : null;

    public bool IsETag => Text[0] == '"';

    public static VersionMark? Of(HttpExchange exchange, long? length) =>
        Of(exchange.Header("ETag"), exchange.Header("Last-Modified"), exchange.Header("Date"), length);

    /// <param name="date">When the answer was made: a file that changed in the same second may change once more within it.</param>
    public static VersionMark? Of(string? eTag, string? lastModified, string? date, long? length)
    {
        if (eTag is not null && IsStrong(eTag))
            return new VersionMark(eTag, null);

        if (TryDate(lastModified, out var modified) && TryDate(date, out var answered) && answered > modified)
            return new VersionMark(lastModified!, null);

        return length is { } known ? new VersionMark($"{LengthPrefix}{known}", known) : null;
    }

    public static VersionMark? TryParse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;

        if (text.StartsWith(LengthPrefix, StringComparison.Ordinal))
        {
            return long.TryParse(text.AsSpan(LengthPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                ? new VersionMark(text, length)
                : null;
        }

        return IsStrong(text) || TryDate(text, out _) ? new VersionMark(text, null) : null;
    }

    /// <summary>False where what the source says now proves that it is another version; silence proves nothing.</summary>
    public bool MayBe(string? eTag, string? lastModified, long? length)
    {
        if (Length is { } before)
            return length is null || length == before;

        var now = IsETag ? eTag : lastModified;
        return now is null || now == Text;
    }

    // RFC 9110 section 8.8.3: a weak one, W/"…", marks files that mean the same, not files that are the same.
    private static bool IsStrong(string text) =>
        text.Length is > 2 and <= MaxLength && text[0] == '"' && text[^1] == '"' && text[1..^1].All(c => c is '!' or (>= '#' and <= '~'));

    private static bool TryDate(string? text, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);
}
