using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vitrine.OpenStack.Images;

/// <summary>Writes images with their custom properties inlined. What is not known is null, not absent.</summary>
internal sealed class GlanceImageConverter : JsonConverter<GlanceImage>
{
    public override void Write(Utf8JsonWriter writer, GlanceImage value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("name", value.Name);
        writer.WriteString("disk_format", value.DiskFormat);
        writer.WriteString("container_format", value.ContainerFormat);
        writer.WriteString("visibility", value.Visibility);
        WriteNumber(writer, "size", value.Size);
        WriteNumber(writer, "virtual_size", value.VirtualSize);
        writer.WriteString("status", value.Status);
        writer.WriteString("checksum", value.Checksum);
        writer.WriteBoolean("protected", value.Protected);
        writer.WriteNumber("min_ram", value.MinRam);
        writer.WriteNumber("min_disk", value.MinDisk);
        writer.WriteString("owner", value.Owner);
        writer.WriteBoolean("os_hidden", value.OsHidden);
        writer.WriteString("os_hash_algo", value.OsHashAlgo);
        writer.WriteString("os_hash_value", value.OsHashValue);
        writer.WriteString("id", value.Id);
        writer.WriteString("created_at", value.CreatedAt);
        writer.WriteString("updated_at", value.UpdatedAt);
        WriteTags(writer, value.Tags);
        writer.WriteString("self", $"/v2/images/{value.Id}");
        writer.WriteString("file", $"/v2/images/{value.Id}/file");
        writer.WriteString("schema", "/v2/schemas/image");
        if (value.Stores is not null)
            writer.WriteString("stores", value.Stores);
        foreach (var (name, text) in value.Properties)
            writer.WriteString(name, text);
        writer.WriteEndObject();
    }

    public override GlanceImage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Images are answered, never read: a request says of an image what it likes.");

    private static void WriteNumber(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number)
            writer.WriteNumber(name, number);
        else
            writer.WriteNull(name);
    }

    private static void WriteTags(Utf8JsonWriter writer, IReadOnlyCollection<string> tags)
    {
        writer.WriteStartArray("tags");
        foreach (var tag in tags)
            writer.WriteStringValue(tag);
        writer.WriteEndArray();
    }
}
