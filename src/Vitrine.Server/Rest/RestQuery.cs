using System.Globalization;

namespace Vitrine.Server.Rest;

/// <summary>The query string of a listing. Parameters that nobody knows are refused, as a misspelt filter would list too much.</summary>
internal sealed class RestQuery
{
    private const int MaxLength = 1024;
    private const int MaxLimit = 1000;
    private const int DefaultLimit = 100;

    private readonly Dictionary<string, IReadOnlyList<string>> _values = new(StringComparer.Ordinal);

    /// <param name="prefix">Parameters that begin with it are known too.</param>
    public RestQuery(IQueryCollection query, IReadOnlyCollection<string> known, string? prefix = null)
    {
        foreach (var (name, values) in query)
        {
            if (!known.Contains(name) && (prefix is null || !name.StartsWith(prefix, StringComparison.Ordinal) || name.Length == prefix.Length))
                throw new InvalidFieldException(name.Length <= 64 ? name : name[..64] + "…", $"is not a parameter here; there are {string.Join(", ", known)}");

            _values.Add(name, [.. values.Select(v => Check(name, v ?? ""))]);
        }
    }

    public int Limit => Number("limit") switch
    {
        null => DefaultLimit,
        >= 1 and <= MaxLimit and var limit => (int)limit,
        _ => throw new InvalidFieldException("limit", $"must be between 1 and {MaxLimit}"),
    };

    public IReadOnlyList<string> Texts(string name) => _values.GetValueOrDefault(name, []);

    public string? Text(string name) => Texts(name) switch
    {
        [] => null,
        [var one] => one,
        _ => throw new InvalidFieldException(name, "may be given once"),
    };

    /// <summary>Values of an enumeration, repeated or parted by commas.</summary>
    public IReadOnlyList<T> Words<T>(string name) where T : struct, Enum =>
        [.. Texts(name).SelectMany(v => v.Split(',')).Select(v => EnumWords.Parse<T>(v, name))];

    public T? Word<T>(string name) where T : struct, Enum => Text(name) is { } text ? EnumWords.Parse<T>(text, name) : null;

    public long? Number(string name) => Number(name, Text(name));

    public bool? Flag(string name) => Flag(name, Text(name));

    /// <summary>The same for a parameter that an endpoint is given.</summary>
    public static long? Number(string name, string? text) => text is null ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new InvalidFieldException(name, "must be a whole number");

    public static bool? Flag(string name, string? text) => text switch
    {
        null => null,
        "true" => true,
        "false" => false,
        _ => throw new InvalidFieldException(name, "must be true or false"),
    };

    /// <summary>The parameters that begin with the prefix, without it.</summary>
    public IReadOnlyDictionary<string, string> Prefixed(string prefix) => _values.Keys
        .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(name => name[prefix.Length..], name => Text(name)!, StringComparer.Ordinal);

    private static string Check(string name, string value)
    {
        if (value.Length > MaxLength)
            throw new InvalidFieldException(name, $"is longer than {MaxLength} characters");
        return value.Contains('\0', StringComparison.Ordinal) || value.Contains('\uFFFD', StringComparison.Ordinal)
            ? throw new InvalidFieldException(name, "is not valid text")
            : value;
    }
}
