using System.Text;

namespace Vitrine.Formats.Iso9660;

/// <summary>The two ways in which media spell a time; both end in the offset from UTC, which is none here.</summary>
internal static class IsoTime
{
    public const int Length = 7;

    private const int FirstYear = 1900;

    public static bool CanWrite(DateTimeOffset time) => time.UtcDateTime.Year is >= FirstYear and <= FirstYear + byte.MaxValue;

    /// <summary>In a directory record (ECMA-119, 9.1.5): years since 1900, month, day, hour, minute, second, offset.</summary>
    public static void Write(Span<byte> field, DateTimeOffset time)
    {
        var utc = time.UtcDateTime;
        ReadOnlySpan<byte> bytes =
            [(byte)(utc.Year - FirstYear), (byte)utc.Month, (byte)utc.Day, (byte)utc.Hour, (byte)utc.Minute, (byte)utc.Second, 0];
        bytes.CopyTo(field);
    }

    /// <summary>In a volume descriptor (ECMA-119, 8.4.26.1): sixteen digits down to hundredths of a second, offset; zeros for no time.</summary>
    public static void WriteDigits(Span<byte> field, DateTimeOffset? time) =>
        Encoding.ASCII.GetBytes(time?.UtcDateTime.ToString("yyyyMMddHHmmssff") ?? new string('0', 16), field);
}
