using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;

namespace Vitrine.Server.Rest;

/// <summary>Reads the JSON of a request. Whatever is wrong with it is said, and names the field where there is one.</summary>
internal static class RestBody
{
    public const int MaxLength = 1024 * 1024;

    private const int MaxDepth = 16;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    public static bool HasBody(this HttpRequest request) =>
        request.ContentLength > 0 || (request.ContentLength is null && request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true });

    /// <exception cref="InvalidFieldException">A field is unknown, or its value of another type.</exception>
    /// <exception cref="MalformedBodyException">The body is no JSON object.</exception>
    public static async Task<T> ReadAsync<T>(this HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        (await request.ReadObjectAsync(cancellationToken)).As(type);

    /// <exception cref="UnsupportedBodyException">The body is of another media type.</exception>
    /// <exception cref="LimitExceededException">It is longer than <see cref="MaxLength"/>.</exception>
    /// <exception cref="MalformedBodyException">It is no JSON object.</exception>
    public static async Task<JsonElement> ReadObjectAsync(this HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentType is not null && !request.HasJsonContentType() && !request.ContentType.StartsWith("application/merge-patch+json", StringComparison.OrdinalIgnoreCase))
            throw new UnsupportedBodyException("application/json");

        var bytes = await ReadBytesAsync(request, cancellationToken);
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new MalformedBodyException("the body must be a JSON object");
        }
        catch (JsonException error)
        {
            throw new MalformedBodyException(bytes.Length == 0
                ? "the body is empty"
                : $"the body is not valid JSON, names a field twice or is nested deeper than {MaxDepth} levels (line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1})");
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    /// <exception cref="InvalidFieldException">A field is unknown, or its value of another type.</exception>
    public static T As<T>(this JsonElement body, JsonTypeInfo<T> type)
    {
        try
        {
            RefuseUnknown(body, type, prefix: "");
            return body.Deserialize(type)!;
        }
        catch (JsonException error)
        {
            throw new InvalidFieldException(FieldOf(error.Path), "has a value of the wrong type");
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    /// <summary>The names of the fields that are there, and whether they are null.</summary>
    public static IReadOnlyDictionary<string, bool> Fields(this JsonElement body)
    {
        try
        {
            return body.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind is JsonValueKind.Null, StringComparer.Ordinal);
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    /// <summary>Text with half a character in it is JSON by its grammar, and cannot be read.</summary>
    private static MalformedBodyException NotUnicode() => new("the body holds text that is not valid Unicode");

    private static void RefuseUnknown(JsonElement body, JsonTypeInfo type, string prefix)
    {
        foreach (var property in body.EnumerateObject())
        {
            var name = prefix + property.Name;
            var known = type.Properties.FirstOrDefault(p => p.Name == property.Name)
                ?? throw new InvalidFieldException(Shown(name), $"is not a field of this request; there are {string.Join(", ", type.Properties.Select(p => p.Name))}");
            if (property.Value.ValueKind is JsonValueKind.Object && type.Options.GetTypeInfo(known.PropertyType) is { Kind: JsonTypeInfoKind.Object } inner)
                RefuseUnknown(property.Value, inner, $"{name}.");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxLength)
            throw new LimitExceededException("bytes of a JSON body", MaxLength);

        using var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await request.Body.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (bytes.Length + read > MaxLength)
                throw new LimitExceededException("bytes of a JSON body", MaxLength);
            bytes.Write(buffer, 0, read);
        }

        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    /// <summary>From <c>$.source.url</c> to <c>source.url</c>.</summary>
    private static string FieldOf(string? path) => path is { Length: > 2 } ? Shown(path[2..]) : "body";

    private static string Shown(string name) => name.Length <= 64 ? name : name[..64] + "…";
}

/// <summary>The body of a request cannot be read.</summary>
internal sealed class MalformedBodyException(string reason) : LibraryException($"The request cannot be read: {reason}.")
{
    public override string Code => "malformed-body";

    public override string Remedy => "Send one JSON object, as the API's description has it.";
}

/// <summary>The body of a request is of a media type that is not taken here.</summary>
internal sealed class UnsupportedBodyException(string wanted) : LibraryException($"The body of this request has to be {wanted}.")
{
    public override string Code => "media-type";

    public override string Remedy => "Set the header Content-Type, and send what it says.";
}
