namespace Vitrine.Catalogue.Database;

/// <summary>How values are spelt in the database: times as microseconds since 1970 in UTC, enumerations as their words.</summary>
internal static class Stored
{
    /// <summary>What is finer than a microsecond is cut off, towards the past.</summary>
    public static long Micros(DateTimeOffset time) =>
        (long)Math.Floor((time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / (decimal)TimeSpan.TicksPerMicrosecond);

    public static long? Micros(DateTimeOffset? time) => time is { } known ? Micros(known) : null;

    public static DateTimeOffset Time(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    public static DateTimeOffset? Time(long? micros) => micros is { } known ? Time(known) : null;

    public static string? Word<T>(T? value) where T : struct, Enum => value?.Word();

    /// <exception cref="InvalidDataException">The database holds a word that this program does not know.</exception>
    public static T Enum<T>(string word) where T : struct, Enum => EnumWords.TryParse<T>(word, out var value)
        ? value
        : throw new InvalidDataException($"The catalogue holds the {typeof(T).Name} '{word}', which this version does not know.");

    public static T? EnumOrNull<T>(string? word) where T : struct, Enum => word is null ? null : Enum<T>(word);

    /// <summary>False for text that no database can hold, and that therefore equals nothing that is stored.</summary>
    /// <remarks>PostgreSQL has no zero byte in text, and half a surrogate pair has no UTF-8.</remarks>
    public static bool CanHold(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else if (text[i] == '\0' || char.IsSurrogate(text[i]))
                return false;
        }

        return true;
    }
}
