using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Vitrine.Access;
using Vitrine.Content;

namespace Vitrine.Images;

/// <summary>All that is known of an active image, as stores keep it beside the content: what a lost catalogue is made anew from.</summary>
/// <param name="Format">The number of the form. A document of a higher one was written by a later release.</param>
/// <param name="Image">Without what belongs to the catalogue that it was in: its version and its transfer.</param>
public sealed record ImageDescription(int Format, Image Image, IReadOnlyList<ImageMember> Members)
{
    private const int PresentFormat = 1;

    private static readonly int SumLength = SumBegins.Length + 64 + 1;

    private static ReadOnlySpan<byte> SumBegins => ",\"sum\":\""u8;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        Converters =
        {
            new JsonStringEnumConverter(new WordPolicy(), allowIntegerValues: false),
            new WordConverter<ImageId>(ImageId.Parse),
            new WordConverter<ProjectId>(text => new ProjectId(text)),
            new WordConverter<Digest>(Digest.Parse),
        },
    };

    public static ImageDescription Of(Image image, IReadOnlyList<ImageMember> members) =>
        new(PresentFormat, image with { Version = 0, Transfer = null }, members);

    /// <summary>The document ends with the SHA-256 of what it is without that: a member <c>sum</c>, which earlier releases pass over.</summary>
    public byte[] Write()
    {
        var document = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        return [.. document.AsSpan(..^1), .. SumOf(document), .. "}"u8];
    }

    /// <returns>Null for what is no description of an active image, is damaged, or was written by a later release.</returns>
    public static ImageDescription? TryRead(ReadOnlySpan<byte> document)
    {
        if (IsDamaged(document))
            return null;

        try
        {
            return JsonSerializer.Deserialize<ImageDescription>(document, Json) is { Format: PresentFormat, Image: { Status: ImageStatus.Active, Content: not null } image } read
                ? Of(image, [.. (read.Members ?? []).Where(m => m is not null && m.Image == image.Id).DistinctBy(m => m.Project)])
                : null;
        }
        catch (Exception error) when (error is JsonException or FormatException or NotSupportedException)
        {
            return null;
        }
    }

    // One of an earlier release has no sum.
    private static bool IsDamaged(ReadOnlySpan<byte> document)
    {
        if (document.Length <= SumLength || !document[^(SumLength + 1)..].StartsWith(SumBegins))
            return false;

        byte[] summed = [.. document[..^(SumLength + 1)], .. "}"u8];
        return !document[^(SumLength + 1)..^1].SequenceEqual(SumOf(summed));
    }

    private static byte[] SumOf(ReadOnlySpan<byte> document) => [.. SumBegins, .. Encoding.ASCII.GetBytes(Digest.Of(document).Hex), .. "\""u8];

    /// <summary>As <see cref="EnumWords"/> has them.</summary>
    private sealed class WordPolicy : JsonNamingPolicy
    {
        public override string ConvertName(string name) => name.ToLowerInvariant();
    }

    /// <summary>What is one word in JSON.</summary>
    private sealed class WordConverter<T>(Func<string, T> parse) : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            parse(reader.GetString() ?? throw new JsonException());

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue($"{value}");
    }
}
