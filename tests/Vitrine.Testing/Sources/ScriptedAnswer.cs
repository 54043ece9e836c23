using System.Globalization;
using System.Text;

namespace Vitrine.Testing.Sources;

/// <summary>One answer of a scripted server.</summary>
internal sealed class ScriptedAnswer(ScriptedFile file, SeenRequest request, Stream stream)
{
    private const int PieceLength = 64 * 1024;
    private const int PiecesPerSecond = 20;

    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (file.StallBeforeAnswer)
            await file.StandStillAsync(cancellationToken);

        if (file.CutBeforeAnswer)
            return;

        if (file.RawAnswer is { } raw)
            await stream.WriteAsync(raw, cancellationToken);
        else
            await AnswerAsync(cancellationToken);
    }

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        if (!file.Admits(request))
            await WriteHeadAsync(401, ["WWW-Authenticate: Basic realm=\"scripted\"", "Content-Length: 0"], cancellationToken);
        else if (request.Method == "HEAD" && file.StatusOfHead is { } status)
            await WriteHeadAsync(status, ["Content-Length: 0"], cancellationToken);
        else if (file.Status != 200)
            await WriteHeadAsync(file.Status, [.. Optional("Location", file.Location), "Content-Length: 0"], cancellationToken);
        else
            await WriteFileAsync(cancellationToken);
    }

    private async Task WriteFileAsync(CancellationToken cancellationToken)
    {
        var total = file.Content.Length;
        var range = file.RangeOf(request);
        if (range is { } asked && asked.Start >= total)
        {
            await WriteHeadAsync(416, [$"Content-Range: {file.ContentRange ?? $"bytes */{total}"}", .. About(), "Content-Length: 0"], cancellationToken);
            return;
        }

        var (start, end) = range ?? (0, total);
        string[] served = range is null ? [] : [$"Content-Range: {file.ContentRange ?? $"bytes {start}-{end - 1}/{total}"}"];
        await WriteHeadAsync(range is null ? 200 : 206, [.. served, .. About(), .. Framing(end - start)], cancellationToken);
        if (request.Method != "HEAD")
            await WriteBodyAsync(start, file.Endless ? long.MaxValue : end, cancellationToken);
    }

    private async Task WriteHeadAsync(int status, IReadOnlyList<string> headers, CancellationToken cancellationToken)
    {
        string[] always = [$"HTTP/1.1 {status} {file.Phrase}", $"Date: {TimeProvider.System.GetUtcNow():r}", "Connection: close"];
        var head = string.Concat(always.Concat(headers).Concat(file.MoreHeaders).Select(line => line + "\r\n")) + "\r\n";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head), cancellationToken);
    }

    private IEnumerable<string> About() =>
    [
        .. Optional("Content-Type", file.ContentType),
        .. Optional("ETag", file.ETag),
        .. Optional("Last-Modified", file.LastModified?.ToString("r", CultureInfo.InvariantCulture)),
        .. Optional("Accept-Ranges", file is { Ranges: true, AnnouncesRanges: true } ? "bytes" : null),
    ];

    private string[] Framing(long length) => file.Framing switch
    {
        BodyFraming.ContentLength => [$"Content-Length: {file.DeclaredLength ?? length}"],
        BodyFraming.Chunked => ["Transfer-Encoding: chunked"],
        _ => [],
    };

    private static string[] Optional(string name, string? value) => value is null ? [] : [$"{name}: {value}"];

    private async Task WriteBodyAsync(long start, long end, CancellationToken cancellationToken)
    {
        var cut = file.CutAfter(request) is { } after && after < end - start ? start + after : end;
        var piece = new byte[file.BytesPerSecond is { } rate ? Math.Clamp(rate / PiecesPerSecond, 1, PieceLength) : PieceLength];
        for (var offset = start; offset < cut;)
        {
            if (offset - start == file.StallAfter)
                await file.StandStillAsync(cancellationToken);

            var stop = file.StallAfter is { } stall && start + stall > offset ? Math.Min(cut, start + stall) : cut;
            var part = piece.AsMemory(0, (int)Math.Min(piece.Length, stop - offset));
            file.Content.Read(offset, part.Span);
            await WritePieceAsync(part, cancellationToken);
            offset += part.Length;
        }

        if (file.Framing == BodyFraming.Chunked && cut == end)
            await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), cancellationToken);
    }

    private async Task WritePieceAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken)
    {
        if (file.Framing == BodyFraming.Chunked)
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"), cancellationToken);

        // Counted first, so that no client has a byte that is not counted yet.
        file.Sent(piece.Length);
        await stream.WriteAsync(piece, cancellationToken);

        if (file.Framing == BodyFraming.Chunked)
            await stream.WriteAsync("\r\n"u8.ToArray(), cancellationToken);

        if (file.BytesPerSecond is { } rate)
            await Task.Delay(TimeSpan.FromSeconds((double)piece.Length / rate), TimeProvider.System, cancellationToken);
    }
}
