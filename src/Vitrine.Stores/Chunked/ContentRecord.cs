using System.Text.Json;
using System.Text.Json.Serialization;
using Vitrine.Content;

namespace Vitrine.Stores.Chunked;

/// <summary>Says that a content is in the store, and where its map is. It makes the content exist.</summary>
/// <param name="Version">Of this record's form.</param>
/// <param name="Digest">As <c>sha256:…</c>.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Map">The id of its map, which is no other content's.</param>
/// <param name="MapLength">In bytes.</param>
internal sealed record ContentRecord(int Version, string Digest, long Length, Guid Map, int MapLength)
{
    public const int Known = 1;

    /// <summary>No record is longer, in bytes.</summary>
    public const int MostLength = 4096;

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, StoreJson.Default.ContentRecord);

    /// <returns>Null where the bytes are no record of this content that this version knows.</returns>
    public static ContentRecord? Read(ReadOnlySpan<byte> bytes, Digest digest)
    {
        try
        {
            var record = JsonSerializer.Deserialize(bytes, StoreJson.Default.ContentRecord);
            return record is { Version: Known, Length: >= 0, MapLength: > 0 } && record.Digest == digest.ToString() ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Stands at the root of a store, and says what it is.</summary>
internal sealed record Foundation(string Format, int Version, Guid Id)
{
    public const string FormatName = "vitrine-chunked-store";
    public const int Known = 1;

    /// <summary>No foundation is longer, in bytes.</summary>
    public const int MostLength = 4096;

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, StoreJson.Default.Foundation);

    /// <returns>Null where the bytes are no foundation of a store that this version knows.</returns>
    public static Foundation? Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var foundation = JsonSerializer.Deserialize(bytes, StoreJson.Default.Foundation);
            return foundation is { Format: FormatName, Version: Known } ? foundation : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ContentRecord))]
[JsonSerializable(typeof(Foundation))]
internal sealed partial class StoreJson : JsonSerializerContext;
