using System.Net.Mime;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Metadata;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>A namespace as Glance v2 spells it; what is not said, or not there, is absent.</summary>
internal sealed record MetadefNamespace(
    string Namespace,
    string? DisplayName,
    string? Description,
    string Visibility,
    bool Protected,
    string? Owner,
    string CreatedAt,
    string UpdatedAt,
    IReadOnlyList<MetadefAssociation>? ResourceTypeAssociations,
    IReadOnlyDictionary<string, MetadefProperty>? Properties,
    IReadOnlyList<MetadefObject>? Objects,
    IReadOnlyList<MetadefTagName>? Tags,
    string Self,
    string Schema)
{
    public static string PathOf(string name) => $"/v2/metadefs/namespaces/{name}";

    /// <param name="prefix">Stands before the names of all properties.</param>
    public static MetadefNamespace From(DefinitionNamespace space, string prefix = "") => new(
        space.Name,
        space.DisplayName,
        space.Description,
        space.Public ? "public" : "private",
        space.Protected,
        space.Owner?.Value,
        GlanceTime.Of(space.CreatedAt),
        GlanceTime.Of(space.UpdatedAt),
        OrNull([.. space.ResourceTypes.Select(MetadefAssociation.From)]),
        space.Properties.IsEmpty ? null : MetadefProperty.MapOf(space.Properties, prefix),
        OrNull([.. space.Objects.Select(o => MetadefObject.From(space.Name, o, prefix))]),
        OrNull([.. space.Tags.Reverse().Select(MetadefTagName.From)]),
        PathOf(space.Name),
        "/v2/schemas/metadefs/namespace");

    private static IReadOnlyList<T>? OrNull<T>(IReadOnlyList<T> list) => list.Count == 0 ? null : list;
}

internal sealed record MetadefNamespaceList(IReadOnlyList<MetadefNamespace> Namespaces, string First, string? Next, string Schema);

/// <summary>A property, in the words of JSON Schema.</summary>
internal sealed record MetadefProperty
{
    public string? Name { get; init; }
    public required string Type { get; init; }
    public required string Title { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<string>? Operators { get; init; }
    public string? Default { get; init; }

    [JsonPropertyName("readonly")]
    public bool? ReadOnly { get; init; }

    public decimal? Minimum { get; init; }
    public decimal? Maximum { get; init; }
    public IReadOnlyList<string>? Enum { get; init; }
    public string? Pattern { get; init; }

    [JsonPropertyName("minLength")]
    public int? MinLength { get; init; }

    [JsonPropertyName("maxLength")]
    public int? MaxLength { get; init; }

    public MetadefItems? Items { get; init; }

    [JsonPropertyName("uniqueItems")]
    public bool? UniqueItems { get; init; }

    [JsonPropertyName("minItems")]
    public int? MinItems { get; init; }

    [JsonPropertyName("maxItems")]
    public int? MaxItems { get; init; }

    [JsonPropertyName("additionalItems")]
    public bool? AdditionalItems { get; init; }

    public static MetadefProperty From(DefinedProperty property) => Nameless(property) with { Name = property.Name };

    /// <summary>The properties by their names, which they do not repeat.</summary>
    /// <param name="prefix">Stands before each name.</param>
    public static IReadOnlyDictionary<string, MetadefProperty> MapOf(IEnumerable<DefinedProperty> properties, string prefix = "") =>
        properties.ToDictionary(p => prefix + p.Name, Nameless, StringComparer.Ordinal);

    private static MetadefProperty Nameless(DefinedProperty property) => new()
    {
        Type = property.Type.Word(),
        Title = property.Title,
        Description = property.Description,
        Operators = property.Operators,
        Default = property.Default,
        ReadOnly = property.ReadOnly,
        Minimum = property.Minimum,
        Maximum = property.Maximum,
        Enum = property.Values,
        Pattern = property.Pattern,
        MinLength = property.MinLength,
        MaxLength = property.MaxLength,
        Items = property.Items is { } items ? new MetadefItems(items.Type.Word(), items.Values) : null,
        UniqueItems = property.UniqueItems,
        MinItems = property.MinItems,
        MaxItems = property.MaxItems,
        AdditionalItems = property.AdditionalItems,
    };
}

internal sealed record MetadefItems(string Type, IReadOnlyList<string>? Enum);

internal sealed record MetadefPropertyMap(IReadOnlyDictionary<string, MetadefProperty> Properties);

internal sealed record MetadefObject(
    string Name,
    IReadOnlyList<string> Required,
    string? Description,
    IReadOnlyDictionary<string, MetadefProperty> Properties,
    string CreatedAt,
    string UpdatedAt,
    string Self,
    string Schema)
{
    /// <param name="prefix">Stands before the names of all properties.</param>
    public static MetadefObject From(string space, DefinedObject defined, string prefix = "") => new(
        defined.Name,
        [.. defined.Required.Select(name => prefix + name)],
        defined.Description,
        MetadefProperty.MapOf(defined.Properties, prefix),
        GlanceTime.Of(defined.CreatedAt),
        GlanceTime.Of(defined.UpdatedAt),
        $"{MetadefNamespace.PathOf(space)}/objects/{defined.Name}",
        "/v2/schemas/metadefs/object");
}

internal sealed record MetadefObjectList(IReadOnlyList<MetadefObject> Objects, string Schema);

internal sealed record MetadefTag(string Name, string CreatedAt, string UpdatedAt)
{
    public static MetadefTag From(DefinedTag tag) => new(tag.Name, GlanceTime.Of(tag.CreatedAt), GlanceTime.Of(tag.UpdatedAt));
}

/// <summary>A tag in a list, which says no more of it.</summary>
internal sealed record MetadefTagName(string Name)
{
    public static MetadefTagName From(DefinedTag tag) => new(tag.Name);
}

internal sealed record MetadefTagList(IReadOnlyList<MetadefTagName> Tags);

internal sealed record MetadefAssociation(string Name, string? Prefix, string? PropertiesTarget, string CreatedAt, string UpdatedAt)
{
    public static MetadefAssociation From(ResourceTypeLink link) =>
        new(link.Name, link.Prefix, link.Target, GlanceTime.Of(link.CreatedAt), GlanceTime.Of(link.UpdatedAt));
}

internal sealed record MetadefAssociationList(IReadOnlyList<MetadefAssociation> ResourceTypeAssociations);

internal sealed record MetadefResourceType(string Name, string CreatedAt);

internal sealed record MetadefResourceTypeList(IReadOnlyList<MetadefResourceType> ResourceTypes);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(MetadefNamespace))]
[JsonSerializable(typeof(MetadefNamespaceList))]
[JsonSerializable(typeof(MetadefProperty))]
[JsonSerializable(typeof(MetadefPropertyMap))]
[JsonSerializable(typeof(MetadefObject))]
[JsonSerializable(typeof(MetadefObjectList))]
[JsonSerializable(typeof(MetadefTag))]
[JsonSerializable(typeof(MetadefTagList))]
[JsonSerializable(typeof(MetadefAssociation))]
[JsonSerializable(typeof(MetadefAssociationList))]
[JsonSerializable(typeof(MetadefResourceTypeList))]
internal sealed partial class MetadefJson : JsonSerializerContext
{
    public static JsonHttpResult<T> Answer<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(value, type, MediaTypeNames.Application.Json, status);
}
