namespace Vitrine;

/// <summary>Enumerations from outside are words in lower case; this is the one way in and out.</summary>
public static class EnumWords
{
    public static string Word<T>(this T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    public static bool TryParse<T>(string? text, out T value) where T : struct, Enum
    {
        // Enum.Parse would also take numbers and lists.
        value = default;
        return text is { Length: > 0 and < 32 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !char.IsAsciiDigit(text[0])
            && Enum.TryParse(text, ignoreCase: true, out value);
    }

    /// <exception cref="InvalidFieldException">No value has this name; the reason lists them all.</exception>
    public static T Parse<T>(string text, string field) where T : struct, Enum => TryParse<T>(text, out var value)
        ? value
        : throw new InvalidFieldException(field, $"must be one of {string.Join(", ", Enum.GetValues<T>().Select(v => v.Word()))}");
}
