using System.Net;
using Vitrine.Transfers;

namespace Vitrine.Sources.Http;

/// <summary>Files of web servers and object stores, by plain or signed address.</summary>
internal sealed class HttpSource(OutgoingHttp http, SourceOptions options, TimeProvider time, SourceMeter meter) : ISource
{
    public IReadOnlyCollection<string> Schemes => OutgoingHttp.Schemes;

    public void Check(Uri address) => http.Demand(address);

    public Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken) =>
        OpenAsync(address, from, validator, login: null, cancellationToken);

    public Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken) => ProbeAsync(address, login: null, cancellationToken);

    /// <param name="login">For the host of the address; null for what stands in the address.</param>
    public Task<SourceReading> OpenAsync(Uri address, long from, string? validator, HttpLogin? login, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        return meter.CountAsync(() => from > 0 && VersionMark.TryParse(validator) is { } mark
            ? ResumeAsync(address, from, mark, login, cancellationToken)
            : BeginAsync(address, login, cancellationToken));
    }

    public async Task<SourceProbe> ProbeAsync(Uri address, HttpLogin? login, CancellationToken cancellationToken)
    {
        await using var head = await http.SendAsync(address, HttpAsk.Head with { Login = login }, cancellationToken);
        if (!IsNoAnswerToHead(head.Status))
            return Describe(head);

        await head.DisposeAsync();
        await using var first = await http.SendAsync(address, HttpAsk.FirstByte with { Login = login }, cancellationToken);
        return Describe(first);
    }

    /// <summary>Fills the memory with what begins at an offset, of exactly the version that is marked.</summary>
    /// <exception cref="SourceException">Something else came, of which the next reading finds out what it is.</exception>
    public async Task ReadStretchAsync(Uri address, long from, Memory<byte> bytes, VersionMark mark, CancellationToken cancellationToken)
    {
        await using var exchange = await http.SendAsync(address, HttpAsk.Stretch(from, bytes.Length, mark.IfRange), cancellationToken);
        var resumption = Resumption.Judge(exchange, from, mark);
        if (resumption is Resumption.Failed)
            throw HttpFailures.OfStatus(exchange);
        if (resumption is not Resumption.Continues { Count: var count } || count != bytes.Length)
            throw new SourceException(SourceFault.Broken, $"{exchange.Target.Host} gave something else than the part that was asked for.", mayPass: true);

        await using var body = Body(exchange, await exchange.ReadBodyAsync(cancellationToken), bytes.Length);
        await body.ReadExactlyAsync(bytes, cancellationToken);
    }

    private async Task<SourceReading> BeginAsync(Uri address, HttpLogin? login, CancellationToken cancellationToken)
    {
        var exchange = await http.SendAsync(address, HttpAsk.Whole with { Login = login }, cancellationToken);
        return await OrDispose(exchange, () => exchange.Status is HttpStatusCode.OK or HttpStatusCode.NonAuthoritativeInformation
            ? ReadWholeAsync(exchange, cancellationToken)
            : throw HttpFailures.OfStatus(exchange));
    }

    private async Task<SourceReading> ResumeAsync(Uri address, long from, VersionMark mark, HttpLogin? login, CancellationToken cancellationToken)
    {
        var exchange = await http.SendAsync(address, HttpAsk.From(from, mark.IfRange) with { Login = login }, cancellationToken);
        var resumption = Resumption.Judge(exchange, from, mark);
        if (resumption is Resumption.AskAgain)
        {
            await exchange.DisposeAsync();
            return await BeginAsync(address, login, cancellationToken);
        }

        return await OrDispose(exchange, async () => resumption switch
        {
            Resumption.Continues(var count, var total) => await ReadRestAsync(exchange, from, count, total, mark, cancellationToken),
            Resumption.AtEnd => new SourceReading(Stream.Null, from, from, mark.Text, canResume: true, exchange),
            Resumption.Whole => await ReadWholeAsync(exchange, cancellationToken),
            _ => throw HttpFailures.OfStatus(exchange),
        });
    }

    private async Task<SourceReading> ReadWholeAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        var length = exchange.ContentLength;
        var body = Body(exchange, await exchange.ReadBodyAsync(cancellationToken), length);
        return new SourceReading(body, 0, length, VersionMark.Of(exchange, length)?.Text, OffersRanges(exchange), exchange);
    }

    private async Task<SourceReading> ReadRestAsync(
        HttpExchange exchange, long from, long count, long? total, VersionMark mark, CancellationToken cancellationToken)
    {
        // A source may send less than the rest at once; its end is then no end of the file, and the next attempt goes on there.
        var body = Body(exchange, await exchange.ReadBodyAsync(cancellationToken), total is { } all ? all - from : count);
        return new SourceReading(body, from, total, mark.Text, canResume: true, exchange);
    }

    internal SourceBody Body(HttpExchange exchange, Stream body, long? expected) =>
        new(body, exchange.Target.Host, expected, options.IdleTimeout, time, meter);

    // 400 and 403 are what object stores answer where an address was signed for GET alone.
    private static bool IsNoAnswerToHead(HttpStatusCode status) =>
        status is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented or HttpStatusCode.BadRequest or HttpStatusCode.Forbidden;

    private static SourceProbe Describe(HttpExchange exchange)
    {
        var range = ServedRange.TryParse(exchange.Header("Content-Range"));
        var length = (exchange.Status, range) switch
        {
            (HttpStatusCode.OK, _) => exchange.ContentLength,
            (HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable, { } served) => served.Total,
            _ => null,
        };
        return new SourceProbe(
            exchange.RedactedAddress, (int)exchange.Status, length, exchange.ContentType,
            CanResume: exchange.Status == HttpStatusCode.PartialContent || OffersRanges(exchange),
            VersionMark.Of(exchange, length)?.Text, exchange.Certificate)
        {
            Route = exchange.FindRoute(),
        };
    }

    private static bool OffersRanges(HttpExchange exchange) =>
        exchange.Header("Accept-Ranges") is { } units
        && units.Split(',', StringSplitOptions.TrimEntries).Contains("bytes", StringComparer.OrdinalIgnoreCase);

    private static async Task<SourceReading> OrDispose(HttpExchange exchange, Func<Task<SourceReading>> read)
    {
        try
        {
            return await read();
        }
        catch
        {
            await exchange.DisposeAsync();
            throw;
        }
    }
}
