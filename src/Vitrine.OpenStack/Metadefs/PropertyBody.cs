using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Vitrine.Metadata;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>Reads the description of a property, which is in the words of JSON Schema.</summary>
internal static class PropertyBody
{
    private static readonly FrozenDictionary<string, Func<DefinedProperty, JsonElement, DefinedProperty>> Optional =
        new Dictionary<string, Func<DefinedProperty, JsonElement, DefinedProperty>>
        {
            ["description"] = (property, value) => property with { Description = GlanceBody.TextOrNull(value, "description") },
            ["operators"] = (property, value) => property with { Operators = [.. GlanceBody.Texts(value, "operators")] },
            ["default"] = (property, value) => property with { Default = Scalar(value, "default") },
            ["readonly"] = (property, value) => property with { ReadOnly = GlanceBody.Flag(value, "readonly") },
            ["minimum"] = (property, value) => property with { Minimum = Number(value, "minimum") },
            ["maximum"] = (property, value) => property with { Maximum = Number(value, "maximum") },
            ["enum"] = (property, value) => property with { Values = Scalars(value, "enum") },
            ["pattern"] = (property, value) => property with { Pattern = GlanceBody.TextOrNull(value, "pattern") },
            ["minLength"] = (property, value) => property with { MinLength = Count(value, "minLength") },
            ["maxLength"] = (property, value) => property with { MaxLength = Count(value, "maxLength") },
            ["items"] = (property, value) => property with { Items = Items(value) },
            ["uniqueItems"] = (property, value) => property with { UniqueItems = GlanceBody.Flag(value, "uniqueItems") },
            ["minItems"] = (property, value) => property with { MinItems = Count(value, "minItems") },
            ["maxItems"] = (property, value) => property with { MaxItems = Count(value, "maxItems") },
            ["additionalItems"] = (property, value) => property with { AdditionalItems = GlanceBody.Flag(value, "additionalItems") },
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>A property that says its own name.</summary>
    public static DefinedProperty Read(JsonElement body)
    {
        MetadefBody.RefuseReadOnly(body, "created_at", "updated_at");
        return Read(MetadefBody.Required(body, "name"), body);
    }

    /// <summary>The members of an object, each a property under its name.</summary>
    public static ImmutableList<DefinedProperty> ReadMap(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object)
            throw GlanceRefusalException.BadRequest("properties: must be an object of properties by their names.");

        // Of a name that stands there twice, the last counts, as everywhere.
        var properties = new Dictionary<string, DefinedProperty>(StringComparer.Ordinal);
        foreach (var (name, property) in GlanceBody.Members(value))
            properties[name] = Read(name, property);
        return [.. properties.Values];
    }

    private static DefinedProperty Read(string name, JsonElement body)
    {
        if (body.ValueKind is not JsonValueKind.Object)
            throw GlanceRefusalException.BadRequest($"properties.{name}: must be an object.");

        var property = new DefinedProperty { Name = name, Type = Type(body), Title = MetadefBody.Required(body, "title") };
        return GlanceBody.Members(body)
            .Where(m => m.Name is not ("name" or "type" or "title"))
            .Aggregate(property, (described, m) => Optional.TryGetValue(m.Name, out var set)
                ? set(described, m.Value)
                : throw MetadefBody.Unknown(m.Name, "a property"));
    }

    private static PropertyType Type(JsonElement body)
    {
        var word = MetadefBody.Required(body, "type");
        return EnumWords.TryParse<PropertyType>(word, out var type) && type.Word() == word
            ? type
            : throw GlanceRefusalException.BadRequest($"type: must be one of {string.Join(", ", Enum.GetValues<PropertyType>().Select(t => t.Word()))}.");
    }

    private static DefinedItems Items(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object)
            throw GlanceRefusalException.BadRequest("items: must be an object.");
        if (GlanceBody.Members(value).FirstOrDefault(m => m.Name is not ("type" or "enum")) is { Name: { } unknown })
            throw MetadefBody.Unknown(unknown, "items");

        return new DefinedItems(Type(value), GlanceBody.Find(value, "enum") is { } values ? Scalars(values, "items.enum") : null);
    }

    private static ImmutableList<string> Scalars(JsonElement value, string field) => value.ValueKind is JsonValueKind.Array
        ? [.. value.EnumerateArray().Select(item => Scalar(item, field) ?? throw GlanceRefusalException.BadRequest($"{field}: may not hold null."))]
        : throw GlanceRefusalException.BadRequest($"{field}: must be a list.");

    /// <summary>Values are text to Glance, and its clients expect its spelling of truth.</summary>
    private static string? Scalar(JsonElement value, string field) => value.ValueKind switch
    {
        JsonValueKind.True => bool.TrueString,
        JsonValueKind.False => bool.FalseString,
        JsonValueKind.String or JsonValueKind.Null => GlanceBody.TextOrNull(value, field),
        _ => value.GetRawText(),
    };

    private static decimal Number(JsonElement value, string field) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetDecimal(out var number)
            ? number
            : throw GlanceRefusalException.BadRequest($"{field}: must be a number of usual size.");

    private static int Count(JsonElement value, string field) => GlanceBody.Number(value, field) is var count and >= 0
        ? count
        : throw GlanceRefusalException.BadRequest($"{field}: may not be negative.");
}
