using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Vitrine.Transfers;

/// <summary>The addresses of one file, the preferred one first. It is read from one of them at a time, and from the next where that fails.</summary>
/// <remarks>
/// A file that was begun at one mirror goes on at another only where both agree that it is the same: in its length, and either in a
/// strong ETag (RFC 9110 section 8.8.1), or with a checksum stated for the whole, which is held against all of it in the end.
/// </remarks>
/// <param name="isProven">A checksum is stated for the whole.</param>
internal sealed partial class Mirrors(SourceRegistry sources, IReadOnlyList<Uri> addresses, bool isProven, ILogger logger)
{
    public const int Most = 8;
    private const char Between = '\n'; // which no address has in it
    private const string MarkOfOther = "mirror=";

    /// <summary>All addresses as one text, to be kept as a secret.</summary>
    public static string Join(IEnumerable<Uri> addresses) => string.Join(Between, addresses.Select(a => a.OriginalString));

    public static IReadOnlyList<Uri> Split(string text) => [.. text.Split(Between).Select(a => new Uri(a))];

    /// <summary>As <see cref="ISource.OpenAsync"/>, from whichever mirror can.</summary>
    /// <param name="length">The length of the whole, where it is known from the reading before.</param>
    public async Task<SourceReading> OpenAsync(long from, long? length, string? validator, CancellationToken cancellationToken)
    {
        if (addresses.Count == 1)
            return await sources.For(addresses[0]).OpenAsync(addresses[0], from, validator, cancellationToken);

        var (index, mark) = ReadMark(validator);
        var begun = from > 0
            ? await GoOnAsync(index, from, length, mark, cancellationToken)
            : await BeginAsync(cancellationToken);
        var body = new MirroredBody(this, begun.Index, begun.Reading);
        return new SourceReading(body, begun.Reading.Offset, begun.Reading.Length, WriteMark(begun), begun.Reading.CanResume, body);
    }

    /// <summary>Finds another mirror that gives the rest of the file that one of them broke off.</summary>
    /// <returns>Null where there is none.</returns>
    internal async Task<MirrorReading?> FindRestAsync(MirrorReading broken, long from, IReadOnlySet<int> tried, CancellationToken cancellationToken)
    {
        for (var i = 0; i < addresses.Count; i++)
        {
            if (tried.Contains(i) || await TryGoOnElsewhereAsync(i, from, broken.Reading.Length, broken.Reading.Validator, cancellationToken) is not { } found)
                continue;

            LogWentOn(SourceAddress.Redact(addresses[broken.Index]), SourceAddress.Redact(addresses[i]), from);
            return found;
        }

        return null;
    }

    private async Task<MirrorReading> BeginAsync(CancellationToken cancellationToken)
    {
        SourceException? worst = null;
        for (var i = 0; i < addresses.Count; i++)
        {
            try
            {
                return new MirrorReading(i, await sources.For(addresses[i]).OpenAsync(addresses[i], 0, validator: null, cancellationToken));
            }
            catch (SourceException failure)
            {
                LogFailed(SourceAddress.Redact(addresses[i]), failure.Code, failure.Message);
                worst = worst is null || (failure.MayPass && !worst.MayPass) ? failure : worst;
            }
        }

        throw worst!;
    }

    private async Task<MirrorReading> GoOnAsync(int own, long from, long? length, string? mark, CancellationToken cancellationToken)
    {
        SourceException? failure = null;
        try
        {
            var reading = await sources.For(addresses[own]).OpenAsync(addresses[own], from, mark, cancellationToken);
            if (reading.Offset == from)
                return new MirrorReading(own, reading);

            await reading.DisposeAsync();
        }
        catch (SourceException fault)
        {
            LogFailed(SourceAddress.Redact(addresses[own]), fault.Code, fault.Message);
            failure = fault;
        }

        for (var i = 0; i < addresses.Count; i++)
        {
            if (i != own && await TryGoOnElsewhereAsync(i, from, length, mark, cancellationToken) is { } found)
                return found;
        }

        // What was begun is not given up for a mirror that is only away for a while.
        return failure is { MayPass: true } ? throw failure : await BeginAsync(cancellationToken);
    }

    private async Task<MirrorReading?> TryGoOnElsewhereAsync(int index, long from, long? length, string? mark, CancellationToken cancellationToken)
    {
        var (address, source) = (addresses[index], sources.For(addresses[index]));
        try
        {
            var probe = await source.ProbeAsync(address, cancellationToken);
            if (length is null || probe.Length != length || !(isProven || (IsStrong(mark) && probe.Validator == mark)))
            {
                LogDisagrees(SourceAddress.Redact(address));
                return null;
            }

            var reading = await source.OpenAsync(address, from, probe.Validator, cancellationToken);
            if (reading.Offset == from && reading.Length == length)
                return new MirrorReading(index, reading);

            await reading.DisposeAsync();
        }
        catch (SourceException failure)
        {
            LogFailed(SourceAddress.Redact(address), failure.Code, failure.Message);
        }

        return null;
    }

    private static bool IsStrong(string? mark) => mark is ['"', _, .., '"'];

    /// <summary>A mark is of the mirror that gave it, so it says which one that was: <c>mirror=2 "abc"</c>.</summary>
    private static string? WriteMark(MirrorReading begun) => begun is { Index: > 0, Reading.Validator: { } mark }
        ? string.Create(CultureInfo.InvariantCulture, $"{MarkOfOther}{begun.Index} {mark}")
        : begun.Reading.Validator;

    private (int Index, string? Mark) ReadMark(string? text)
    {
        if (text is null || !text.StartsWith(MarkOfOther, StringComparison.Ordinal))
            return (0, text);

        var parts = text[MarkOfOther.Length..].Split(' ', 2);
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < addresses.Count
            ? (index, parts[1])
            : (0, null);
    }

    [LoggerMessage(LogLevel.Information, "The mirror {Mirror} failed: {Code}: {Cause}")]
    private partial void LogFailed(string mirror, string code, string cause);

    [LoggerMessage(LogLevel.Warning, "The mirror {Mirror} has another file, or cannot show that it has the same")]
    private partial void LogDisagrees(string mirror);

    [LoggerMessage(LogLevel.Information, "What {Broken} broke off goes on at {Mirror} from byte {Offset}")]
    private partial void LogWentOn(string broken, string mirror, long offset);
}

/// <summary>A reading, and the place in the list of the mirror that gives it.</summary>
internal sealed record MirrorReading(int Index, SourceReading Reading);
