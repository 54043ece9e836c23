using System.Globalization;

namespace Vitrine.Cli;

/// <summary>Amounts as people read them.</summary>
internal static class Amounts
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary><c>999 B</c>, <c>1.5 KiB</c>, <c>12 GiB</c>: one digit after the point below ten.</summary>
    public static string Bytes(long? count) => count is { } known ? Scaled(known) : "-";

    public static string Rate(double bytesPerSecond) => $"{Scaled(bytesPerSecond)}/s";

    /// <summary><c>42 s</c>, <c>3 min 05 s</c>, <c>2 h 10 min</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => $"{Math.Ceiling(time.TotalSeconds):0} s",
        { TotalMinutes: < 60 } => $"{time.Minutes} min {time.Seconds:00} s",
        { TotalDays: < 100 } => $"{Math.Floor(time.TotalHours):0} h {time.Minutes:00} min",
        _ => "a long time",
    };

    public static string Percent(long part, long? whole) =>
        whole is > 0 and var all ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(1000.0 * part / all) / 10:0.0} %") : "-";

    /// <summary>Takes <c>1048576</c>, <c>1024K</c>, <c>1M</c>: whole numbers above zero, with K, M or G for powers of 1024.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        var power = text.Length == 0 ? -1 : "KMG".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal);
        var digits = power < 0 ? text : text[..^1];
        bytes = 0;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;

        var scaled = (Int128)number << (10 * (power + 1));
        bytes = scaled <= long.MaxValue ? (long)scaled : 0;
        return bytes > 0;
    }

    private static string Scaled(double count)
    {
        var unit = 0;
        for (; Math.Round(count, 1) >= 1024 && unit < Units.Length - 1; unit++)
            count /= 1024;

        return unit > 0 && Math.Round(count, 1) < 10
            ? string.Create(CultureInfo.InvariantCulture, $"{count:0.0} {Units[unit]}")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Round(count):0} {Units[unit]}");
    }
}
