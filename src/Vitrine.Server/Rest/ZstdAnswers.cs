using Microsoft.Net.Http.Headers;
using Vitrine.Stores;

namespace Vitrine.Server.Rest;

/// <summary>Answers with content as the Zstandard frames in which its store keeps it, to clients that take them (RFC 9659).</summary>
/// <remarks>
/// Such an answer is a representation of its own: it has another entity tag, no length, no ranges, and no digests, as those of RFC 9530 are
/// of the bytes with their coding, which nobody has computed.
/// </remarks>
internal static class ZstdAnswers
{
    /// <summary>The name of the coding.</summary>
    public const string Coding = "zstd";

    /// <summary>What a browser wants an answer for, and how it asks: headers of the W3C's Fetch Metadata.</summary>
    public const string FetchDestination = "Sec-Fetch-Dest";

    /// <inheritdoc cref="FetchDestination"/>
    public const string FetchMode = "Sec-Fetch-Mode";

    private const string Identity = "identity";
    private const string AnyCoding = "*";
    private const string OctetStream = "application/octet-stream";
    private const int FlushLength = 128 * 1024;

    /// <summary>Whether a request is answered best with frames.</summary>
    /// <param name="unless">The entity tag of the content as it is: a client that has that already need not get it otherwise.</param>
    public static bool IsWanted(HttpRequest request, EntityTagHeaderValue unless)
    {
        // A body of HTTP/1.0 without a length ends with its connection, so that a cut would look like its end.
        var isWhole = !HttpProtocol.IsHttp10(request.Protocol) && !request.Headers.ContainsKey(HeaderNames.Range) && !request.Headers.ContainsKey(HeaderNames.IfRange);
        return isWhole && IsAccepted(request) && !IsNavigation(request) && !request.HasAlready(unless);
    }

    /// <summary>Answers 200, or 304. The entity tag is set already.</summary>
    /// <param name="content">Is disposed.</param>
    /// <param name="frames">Of the content; null where the client has them already.</param>
    public static async Task<IResult> SendZstdAsync(
        this HttpContext context, ContentReader content, IAsyncEnumerable<ReadOnlyMemory<byte>>? frames, CancellationToken cancellationToken)
    {
        await using var closing = content;
        var response = context.Response;
        if (frames is null || context.Request.HasAlready(response.GetTypedHeaders().ETag!))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);

        // What cannot even be begun is answered with the reason. Later failures cut the connection.
        await using var pieces = frames.GetAsyncEnumerator(cancellationToken);
        var hasMore = !HttpMethods.IsHead(context.Request.Method) && await pieces.MoveNextAsync();
        response.ContentType = OctetStream;
        response.Headers.ContentEncoding = Coding;
        await response.StartAsync(cancellationToken);

        var unsent = 0;
        for (; hasMore; hasMore = await pieces.MoveNextAsync())
        {
            pieces.Current.Span.CopyTo(response.BodyWriter.GetSpan(pieces.Current.Length));
            response.BodyWriter.Advance(pieces.Current.Length);
            unsent += pieces.Current.Length;
            if (unsent < FlushLength)
                continue;

            unsent = 0;
            if ((await response.BodyWriter.FlushAsync(cancellationToken)).IsCompleted)
                break; // the client is gone
        }

        return Results.Empty;
    }

    /// <summary>RFC 9110, 12.5.3: by name, and not less than the bytes as they are, which <c>*</c> means too where nothing names them.</summary>
    private static bool IsAccepted(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().AcceptEncoding;
        return QualityOf(Coding) is > 0 and var quality && quality >= (QualityOf(Identity) ?? QualityOf(AnyCoding) ?? 0);

        double? QualityOf(string coding) =>
            accepted.FirstOrDefault(a => a.Value.Equals(coding, StringComparison.OrdinalIgnoreCase)) is { } named ? named.Quality ?? 1 : null;
    }

    // A browser that is sent here by a link saves what comes, shows how far it is, and goes on after a cut: by length and ranges. A script of a page does not.
    private static bool IsNavigation(HttpRequest request) =>
        request.Headers[FetchDestination].ToString() is not ("" or "empty") || request.Headers[FetchMode].ToString() is not ("" or "cors" or "same-origin");
}
