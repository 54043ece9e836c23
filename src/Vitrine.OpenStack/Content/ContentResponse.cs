using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Content;

/// <summary>Writes the content of an image as the answer to a request, for every face.</summary>
public static class ContentResponse
{
    private const int BufferSize = 512 * 1024;
    private const string OctetStream = "application/octet-stream";

    /// <summary>
    /// Answers 200 with the whole content, 206 with a range of it, or 206 with several as <c>multipart/byteranges</c>. What the
    /// face has set of headers before stays as it is. Disposes the download's reader.
    /// </summary>
    /// <param name="ranges">What to send, each within the content; null or empty for the whole.</param>
    public static Task SendAsync(
        HttpContext context, ImageDownload download, IReadOnlyList<ByteRange>? ranges, CancellationToken cancellationToken)
    {
        context.Response.Headers.ETag = $"\"{download.Content.Digest.Hex}\"";
        return SendAsync(context, download.Reader, ranges, cancellationToken);
    }

    /// <summary>The same for content of any origin, whose entity tag the face has set.</summary>
    /// <param name="reader">Is disposed.</param>
    public static async Task SendAsync(
        HttpContext context, ContentReader reader, IReadOnlyList<ByteRange>? ranges, CancellationToken cancellationToken)
    {
        await using var closing = reader;
        var response = context.Response;
        response.Headers.AcceptRanges = "bytes";

        switch (ranges)
        {
            case null or []:
                response.StatusCode = StatusCodes.Status200OK;
                await SendOneAsync(context, reader, new ByteRange(0, reader.Length), cancellationToken);
                break;
            case [var range]:
                response.StatusCode = StatusCodes.Status206PartialContent;
                response.Headers.ContentRange = ContentRangeOf(range, reader.Length);
                await SendOneAsync(context, reader, range, cancellationToken);
                break;
            default:
                response.StatusCode = StatusCodes.Status206PartialContent;
                await SendManyAsync(context, reader, ranges, cancellationToken);
                break;
        }
    }

    private static async Task SendOneAsync(HttpContext context, ContentReader reader, ByteRange range, CancellationToken cancellationToken)
    {
        context.Response.ContentType ??= OctetStream;
        context.Response.ContentLength = range.Length;
        await SendBytesAsync(context, reader, range, cancellationToken);
    }

    /// <summary>RFC 9110, 14.6: each part has its own type and range, between lines of dashes and the boundary.</summary>
    private static async Task SendManyAsync(
        HttpContext context, ContentReader reader, IReadOnlyList<ByteRange> ranges, CancellationToken cancellationToken)
    {
        var boundary = Guid.NewGuid().ToString("N");
        var partType = context.Response.ContentType ?? OctetStream;
        var heads = ranges.Select(r => Encoding.ASCII.GetBytes(
            $"\r\n--{boundary}\r\nContent-Type: {partType}\r\nContent-Range: {ContentRangeOf(r, reader.Length)}\r\n\r\n")).ToArray();
        var tail = Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n");

        context.Response.ContentType = new MediaTypeHeaderValue("multipart/byteranges")
        {
            Parameters = { new NameValueHeaderValue("boundary", boundary) },
        }.ToString();
        context.Response.ContentLength = ranges.Sum(r => r.Length) + heads.Sum(h => (long)h.Length) + tail.Length;
        for (var i = 0; i < ranges.Count; i++)
        {
            await context.Response.BodyWriter.WriteAsync(heads[i], cancellationToken);
            await SendBytesAsync(context, reader, ranges[i], cancellationToken);
        }

        await context.Response.BodyWriter.WriteAsync(tail, cancellationToken);
    }

    private static async Task SendBytesAsync(HttpContext context, ContentReader reader, ByteRange range, CancellationToken cancellationToken)
    {
        if (HttpMethods.IsHead(context.Request.Method))
            return;

        if (reader.File is { } file && context.Features.Get<IFileBodySender>() is { } sender)
            await sender.SendAsync(context.Response, file, range.Start, range.Length, cancellationToken);
        else
            await CopyAsync(context.Response, reader, range, cancellationToken);
    }

    /// <summary>The pipe's own memory is read into, so that each byte is copied once; its flush slows us to the client's pace.</summary>
    private static async Task CopyAsync(HttpResponse response, ContentReader reader, ByteRange range, CancellationToken cancellationToken)
    {
        var body = response.BodyWriter;
        for (var offset = range.Start; offset < range.End;)
        {
            var wanted = (int)Math.Min(BufferSize, range.End - offset);
            var read = await reader.ReadAsync(offset, body.GetMemory(wanted)[..wanted], cancellationToken);
            if (read == 0)
                throw new EndOfStreamException("The store has fewer bytes of the content than its length.");

            body.Advance(read);
            offset += read;
            if ((await body.FlushAsync(cancellationToken)).IsCompleted)
                return; // the client is gone
        }
    }

    private static string ContentRangeOf(ByteRange range, long length) =>
        string.Create(CultureInfo.InvariantCulture, $"bytes {range.Start}-{range.End - 1}/{length}");
}
