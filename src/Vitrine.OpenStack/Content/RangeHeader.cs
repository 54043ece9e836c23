using System.Globalization;
using Vitrine.Content;

namespace Vitrine.OpenStack.Content;

/// <summary>What a <c>Range</c> header asks of content of a known length (RFC 9110, 14.1.2).</summary>
public abstract record RangeHeader
{
    private const string Unit = "bytes=";

    /// <summary>More than these in one header are no honest request.</summary>
    private const int MaxRanges = 100;

    private RangeHeader()
    {
    }

    /// <summary>There is no header, it is of another unit, or it is not one at all: the whole content is meant.</summary>
    public sealed record Absent : RangeHeader
    {
        /// <summary>Whether there was something that could not be read.</summary>
        public bool Malformed { get; init; }
    }

    /// <summary>No range lies within the content, not even in part.</summary>
    public sealed record Unsatisfiable : RangeHeader;

    /// <summary>At least one range; ends are cut to the content's own.</summary>
    public sealed record Ranges(IReadOnlyList<ByteRange> List) : RangeHeader;

    /// <param name="header">The header's value; null where there is none.</param>
    /// <param name="length">The content's length in bytes.</param>
    public static RangeHeader Parse(string? header, long length)
    {
        if (header is null)
            return new Absent();
        if (!header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
            return new Absent { Malformed = true };

        var specs = header[Unit.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (specs.Length is 0 or > MaxRanges)
            return new Absent { Malformed = true };

        var ranges = new List<ByteRange>(specs.Length);
        foreach (var spec in specs)
        {
            if (!TryRead(spec, length, out var range))
                return new Absent { Malformed = true };
            if (range is { Length: > 0 } satisfiable)
                ranges.Add(satisfiable);
        }

        return ranges.Count > 0 ? new Ranges(ranges) : new Unsatisfiable();
    }

    /// <returns>False where it is no range; a null range where it lies beyond the end.</returns>
    private static bool TryRead(string spec, long length, out ByteRange? range)
    {
        range = null;
        var dash = spec.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
            return false;

        var (first, last) = (spec[..dash], spec[(dash + 1)..]);
        if (first.Length == 0)
        {
            if (!TryNumber(last, out var count))
                return false;
            range = new ByteRange(length - Math.Min(count, length), length);
            return true;
        }

        var end = long.MaxValue;
        if (!TryNumber(first, out var start) || (last.Length > 0 && !TryNumber(last, out end)) || end < start)
            return false;

        range = start < length ? new ByteRange(start, end < length ? end + 1 : length) : null;
        return true;
    }

    /// <summary>A number too large to be held lies beyond every end.</summary>
    private static bool TryNumber(string text, out long number)
    {
        number = long.MaxValue;
        return text.Length > 0 && text.All(char.IsAsciiDigit)
            && (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) || (number = long.MaxValue) > 0);
    }
}
