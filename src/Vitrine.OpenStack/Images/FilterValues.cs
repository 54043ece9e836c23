using System.Text;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>The values of Glance's filters, which may begin with an operator and a colon.</summary>
internal static class FilterValues
{
    private const int MaxValues = 1000;

    /// <summary>Reads <c>x</c>, <c>eq:x</c> or <c>in:a,"b,c"</c>.</summary>
    /// <exception cref="GlanceRefusalException">The operator is one for times only, or a quote stays open.</exception>
    public static IReadOnlyList<string> Read(string value)
    {
        var (operation, operand) = Split(value);
        return operation switch
        {
            "in" => SplitList(operand),
            "eq" => [operand],

            // What is no operator at all belongs to the value: names have colons too.
            "neq" or "gt" or "gte" or "lt" or "lte" =>
                throw GlanceRefusalException.BadRequest($"Unable to filter by unknown operator '{operation}'."),
            _ => [value],
        };
    }

    /// <summary>Reads an operator and a time, or a bare time, which is meant to be equal.</summary>
    /// <remarks>
    /// Clients see whole seconds, and the library keeps microseconds: a whole second stands for all that is in it, so that what a
    /// client was shown is what it finds again. A time "not equal" is compared exactly, as no list can be asked for two ranges.
    /// </remarks>
    /// <exception cref="GlanceRefusalException">The operator is unknown, or what follows no time.</exception>
    public static IReadOnlyList<TimeFilter> ReadTime(TimeField field, string name, string value)
    {
        var bare = GlanceTime.TryParse(value, out _);
        var (operation, operand) = bare ? ("eq", value) : Split(value);
        if (!GlanceTime.TryParse(operand, out var time))
            throw GlanceRefusalException.BadRequest($"{name}: '{value}' is not a time, or an operator, a colon and a time, as in gte:2026-11-21T09:49:05Z.");

        var whole = time.Ticks % TimeSpan.TicksPerSecond == 0 && time < DateTimeOffset.MaxValue.AddSeconds(-1);
        var (before, after) = whole
            ? (Comparison.Less, time.AddSeconds(1))
            : (Comparison.LessOrEqual, time);
        return operation switch
        {
            "gte" => [new TimeFilter(field, Comparison.GreaterOrEqual, time)],
            "lt" => [new TimeFilter(field, Comparison.Less, time)],
            "gt" => [new TimeFilter(field, whole ? Comparison.GreaterOrEqual : Comparison.Greater, after)],
            "lte" => [new TimeFilter(field, before, after)],
            "eq" => [new TimeFilter(field, Comparison.GreaterOrEqual, time), new TimeFilter(field, before, after)],
            "neq" => [new TimeFilter(field, Comparison.NotEqual, time)],
            _ => throw GlanceRefusalException.BadRequest($"Unable to filter by unknown operator '{operation}'."),
        };
    }

    private static (string Operation, string Operand) Split(string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? ("", value) : (value[..colon], value[(colon + 1)..]);
    }

    private static List<string> SplitList(string list)
    {
        var values = new List<string>();
        var value = new StringBuilder();
        var quoted = false;
        foreach (var c in list)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                values.Add(value.ToString());
                value.Clear();
            }
            else
            {
                value.Append(c);
            }
        }

        values.Add(value.ToString());
        return quoted ? throw GlanceRefusalException.BadRequest("A quote in the filter stays open.")
            : values.Count > MaxValues ? throw GlanceRefusalException.BadRequest($"A filter may have {MaxValues} values.")
            : values;
    }
}
