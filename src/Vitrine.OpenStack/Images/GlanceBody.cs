using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Vitrine.OpenStack.Images;

/// <summary>Reads JSON bodies, of bounded size and depth, and says in words what is wrong with them.</summary>
internal static class GlanceBody
{
    private const int MaxLength = 1 << 20;
    private const int MaxDepth = 16;

    /// <summary>The body, whatever its media type claims; the caller disposes it.</summary>
    public static async Task<JsonDocument> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxLength)
            throw TooLong();

        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellationToken);
            var isOver = read.IsCompleted || read.Buffer.Length > MaxLength;
            try
            {
                if (read.Buffer.Length > MaxLength)
                    throw TooLong();
                if (read.IsCompleted)
                    return Parse(read.Buffer.ToArray());
            }
            finally
            {
                // Also where it is refused: the server reads the rest before it answers.
                request.BodyReader.AdvanceTo(isOver ? read.Buffer.End : read.Buffer.Start, read.Buffer.End);
            }
        }
    }

    public static async Task<JsonDocument> ReadObjectAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var document = await ReadAsync(request, cancellationToken);
        if (document.RootElement.ValueKind is JsonValueKind.Object)
            return document;

        document.Dispose();
        throw GlanceRefusalException.BadRequest("The body must be a JSON object.");
    }

    /// <summary>The members of an object, with their names as text.</summary>
    public static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement element) =>
        element.EnumerateObject().Select(m => (NameOf(m), m.Value));

    /// <summary>The member of an object with this name, the last where there are several; null where there is none.</summary>
    public static JsonElement? Find(JsonElement element, string name)
    {
        try
        {
            return element.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            throw BadName(); // comparing names meets those that are not text
        }
    }

    public static string Text(JsonElement value, string field) =>
        TextOrNull(value, field) ?? throw GlanceRefusalException.BadRequest($"{field}: must be a string.");

    public static string? TextOrNull(JsonElement value, string field)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                break;
            default:
                throw GlanceRefusalException.BadRequest($"{field}: must be a string.");
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw GlanceRefusalException.BadRequest($"{field}: is not valid text."); // half of a surrogate pair, or no UTF-8
        }
    }

    public static bool Flag(JsonElement value, string field) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw GlanceRefusalException.BadRequest($"{field}: must be true or false."),
    };

    public static int Number(JsonElement value, string field) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : throw GlanceRefusalException.BadRequest($"{field}: must be a whole number from 0 to {int.MaxValue}.");

    public static IEnumerable<string> Texts(JsonElement value, string field) => value.ValueKind is JsonValueKind.Array
        ? value.EnumerateArray().Select(item => Text(item, field))
        : throw GlanceRefusalException.BadRequest($"{field}: must be a list of strings.");

    private static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw BadName();
        }
    }

    private static GlanceRefusalException BadName() => GlanceRefusalException.BadRequest("The name of a member is not valid text.");

    // Of bytes of its own: a document reads its values from them for as long as it lives, and the connection's are soon another request's.
    private static JsonDocument Parse(byte[] body)
    {
        if (body.Length == 0)
            throw GlanceRefusalException.BadRequest("The request needs a body of JSON.");

        try
        {
            return JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException error)
        {
            throw GlanceRefusalException.BadRequest(
                $"The body is not valid JSON of at most {MaxDepth} levels: see line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}.");
        }
    }

    private static GlanceRefusalException TooLong() => GlanceRefusalException.TooLarge($"The body has more than {MaxLength} bytes.");
}
