using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Vitrine.OpenStack.Identity;

/// <summary>Reads the body of a request, which may be anything, into values of the types that are asked for.</summary>
/// <remarks>Fields that nobody asks for are ignored, as the clients send more than we know.</remarks>
internal static class KeystoneBody
{
    /// <summary>In bytes. The largest honest request, a login, has a tenth of it.</summary>
    public const int MaxLength = 64 * 1024;

    private const int MaxDepth = 16;

    /// <exception cref="LimitExceededException">The body is longer than <see cref="MaxLength"/>.</exception>
    /// <exception cref="InvalidFieldException">It is no JSON object.</exception>
    public static async Task<KeystoneObject> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var bytes = await ReadBytesAsync(request, cancellationToken);
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? new KeystoneObject(document.RootElement.Clone(), "body")
                : throw new InvalidFieldException("body", "must be a JSON object");
        }
        catch (JsonException)
        {
            throw new InvalidFieldException("body", "must be valid JSON");
        }
    }

    /// <summary>The object that the request wraps its fields in: <c>{"project": {…}}</c>.</summary>
    public static async Task<KeystoneObject> ReadAsync(HttpRequest request, string wrapper, CancellationToken cancellationToken) =>
        (await ReadAsync(request, cancellationToken)).Object(wrapper);

    private static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxLength)
            throw TooLong();

        var bytes = new MemoryStream();
        var buffer = new byte[4096];
        while (await request.Body.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            bytes.Write(buffer, 0, read);
            if (bytes.Length > MaxLength)
                throw TooLong();
        }

        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    private static LimitExceededException TooLong() => new("bytes in the body", MaxLength);
}

/// <summary>A JSON object of a request. What has the wrong type is refused by its path: <c>auth.identity</c>.</summary>
internal readonly struct KeystoneObject(JsonElement element, string path)
{
    /// <exception cref="InvalidFieldException">Absent or no object.</exception>
    public KeystoneObject Object(string name) => OptionalObject(name) ?? throw Missing(name);

    public KeystoneObject? OptionalObject(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } found => new KeystoneObject(found, PathOf(name)),
        _ => throw Wrong(name, "an object"),
    };

    /// <summary>The objects of a list; none where it is absent.</summary>
    public IReadOnlyList<KeystoneObject> Objects(string name)
    {
        var field = PathOf(name);
        var items = Items(name, JsonValueKind.Object, "a list of objects");
        return [.. items.Select(item => new KeystoneObject(item, field))];
    }

    /// <summary>The texts of a list; none where it is absent.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        var field = PathOf(name);
        return [.. Items(name, JsonValueKind.String, "a list of strings").Select(item => TextOf(item, field))];
    }

    /// <exception cref="InvalidFieldException">Absent or no string.</exception>
    public string Text(string name) => OptionalText(name) ?? throw Missing(name);

    /// <returns>Null where it is absent or null.</returns>
    public string? OptionalText(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } found => TextOf(found, PathOf(name)),
        _ => throw Wrong(name, "a string"),
    };

    public bool? OptionalFlag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "a boolean"),
    };

    /// <exception cref="InvalidFieldException">Absent or no whole number.</exception>
    public long Number(string name) => OptionalNumber(name) ?? throw Missing(name);

    /// <returns>Null where it is absent or null.</returns>
    public long? OptionalNumber(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } found when found.TryGetInt64(out var number) => number,
        _ => throw Wrong(name, "a whole number"),
    };

    public bool IsText(string name) => Find(name) is { ValueKind: JsonValueKind.String };

    /// <summary>Whether the field is there with the value null, which is how clients take a value away.</summary>
    public bool IsCleared(string name) => TryGet(name, out var value) && value.ValueKind is JsonValueKind.Null;

    private JsonElement? Find(string name) => TryGet(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;

    private bool TryGet(string name, out JsonElement value)
    {
        try
        {
            return element.TryGetProperty(name, out value);
        }
        catch (InvalidOperationException)
        {
            throw new InvalidFieldException(path, "must have names that are valid text");
        }
    }

    private IReadOnlyList<JsonElement> Items(string name, JsonValueKind kind, string expected)
    {
        if (Find(name) is not { } found)
            return [];
        if (found.ValueKind is not JsonValueKind.Array || found.EnumerateArray().Any(item => item.ValueKind != kind))
            throw Wrong(name, expected);

        return [.. found.EnumerateArray()];
    }

    // Half a surrogate pair is valid JSON and no text.
    private static string TextOf(JsonElement text, string path)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new InvalidFieldException(path, "must be valid text");
        }
    }

    private string PathOf(string name) => path == "body" ? name : $"{path}.{name}";

    private InvalidFieldException Missing(string name) => new(PathOf(name), "is missing");

    private InvalidFieldException Wrong(string name, string expected) => new(PathOf(name), $"must be {expected}");
}
