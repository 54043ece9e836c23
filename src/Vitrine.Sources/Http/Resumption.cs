using System.Net;

namespace Vitrine.Sources.Http;

/// <summary>What an answer to "the rest from here, if it is still the same file" comes to.</summary>
internal abstract record Resumption
{
    private Resumption()
    {
    }

    /// <summary>The rest comes.</summary>
    /// <param name="Count">How many bytes of it, at least until the source is asked again.</param>
    /// <param name="Total">The length of the whole; null where the source does not say it.</param>
    public sealed record Continues(long Count, long? Total) : Resumption;

    /// <summary>Everything was here already.</summary>
    public sealed record AtEnd : Resumption;

    /// <summary>The whole file comes, as the source cannot do else or has another version by now.</summary>
    public sealed record Whole : Resumption;

    /// <summary>What came is of no use: the whole file has to be asked for.</summary>
    public sealed record AskAgain : Resumption;

    /// <summary>No file comes.</summary>
    public sealed record Failed : Resumption;

    public static Resumption Judge(HttpExchange exchange, long from, VersionMark mark) => Judge(
        exchange.Status, exchange.Header("Content-Range"), exchange.Header("ETag"), exchange.Header("Last-Modified"),
        exchange.ContentLength, from, mark);

    public static Resumption Judge(
        HttpStatusCode status, string? contentRange, string? eTag, string? lastModified, long? contentLength, long from, VersionMark mark)
    {
        var range = ServedRange.TryParse(contentRange);
        var same = mark.MayBe(eTag, lastModified, range?.Total);
        return status switch
        {
            HttpStatusCode.OK or HttpStatusCode.NonAuthoritativeInformation => new Whole(),
            HttpStatusCode.PartialContent when same && range is { First: { } first, Last: { } last } && first == from =>
                contentLength is { } length && length != last - first + 1 ? new AskAgain() : new Continues(last - first + 1, range.Value.Total),
            HttpStatusCode.RequestedRangeNotSatisfiable when same && range is { First: null } && range.Value.Total == from => new AtEnd(),
            HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable => new AskAgain(),
            _ => new Failed(),
        };
    }
}
