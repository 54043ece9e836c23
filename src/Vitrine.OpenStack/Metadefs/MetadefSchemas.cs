using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The JSON schemas of metadata definitions, by which clients make their options and check answers.</summary>
internal static class MetadefSchemas
{
    private const string Time = """{"type": "string", "readOnly": true, "format": "date-time"}""";
    private const string ReadOnlyText = """{"type": "string", "readOnly": true}""";
    private const string Types = """["array", "boolean", "integer", "number", "object", "string", null]""";
    private const string Values = """{"type": "array"}""";

    private const string Definitions = """
        {
          "positiveInteger": {"type": "integer", "minimum": 0},
          "positiveIntegerDefault0": {"allOf": [{"$ref": "#/definitions/positiveInteger"}, {"default": 0}]},
          "stringArray": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}
        }
        """;

    private const string PropertyMembers = $$"""
        {
          "name": {"type": "string", "maxLength": 80},
          "title": {"type": "string", "description": "The name as people read it"},
          "description": {"type": "string", "description": "What the property means"},
          "operators": {"type": "array", "items": {"type": "string"}, "description": "Comparisons that a scheduler may make"},
          "type": {"type": "string", "enum": {{Types}} },
          "minimum": {"type": "number"},
          "maximum": {"type": "number"},
          "maxLength": {"$ref": "#/definitions/positiveInteger"},
          "minLength": {"$ref": "#/definitions/positiveIntegerDefault0"},
          "pattern": {"type": "string", "format": "regex"},
          "enum": {{Values}},
          "readonly": {"type": "boolean"},
          "default": {},
          "items": {"type": "object", "properties": {"type": {"type": "string", "enum": {{Types}} }, "enum": {{Values}} } },
          "maxItems": {"$ref": "#/definitions/positiveInteger"},
          "minItems": {"$ref": "#/definitions/positiveIntegerDefault0"},
          "uniqueItems": {"type": "boolean", "default": false},
          "additionalItems": {"type": "boolean"}
        }
        """;

    private const string PropertyMap = $$"""
        {"type": "object", "additionalProperties": {"type": "object", "required": ["title", "type"], "properties": {{PropertyMembers}} } }
        """;

    private const string ObjectMembers = $$"""
        {
          "name": {"type": "string", "maxLength": 80},
          "description": {"type": "string", "description": "What the object means"},
          "required": {"$ref": "#/definitions/stringArray"},
          "properties": {"$ref": "#/definitions/property"},
          "schema": {{ReadOnlyText}},
          "self": {{ReadOnlyText}},
          "created_at": {{Time}},
          "updated_at": {{Time}}
        }
        """;

    private const string NamespaceMembers = $$"""
        {
          "namespace": {"type": "string", "maxLength": 80, "description": "The name, which no other namespace has"},
          "display_name": {"type": "string", "maxLength": 80, "description": "The name as people read it"},
          "description": {"type": "string", "maxLength": 500, "description": "What the namespace is about"},
          "visibility": {"type": "string", "enum": ["public", "private"], "description": "Whether all projects see it, or its owner alone"},
          "protected": {"type": "boolean", "description": "Whether it is safe from deletion"},
          "owner": {"type": "string", "maxLength": 255, "description": "The project that owns it"},
          "created_at": {{Time}},
          "updated_at": {{Time}},
          "schema": {{ReadOnlyText}},
          "self": {{ReadOnlyText}},
          "resource_type_associations": {"type": "array", "items": {"type": "object",
            "properties": {"name": {"type": "string"}, "prefix": {"type": "string"}, "properties_target": {"type": "string"} } } },
          "properties": {"$ref": "#/definitions/property"},
          "objects": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "description": {"type": "string"},
            "required": {"$ref": "#/definitions/stringArray"}, "properties": {"$ref": "#/definitions/property"} } } },
          "tags": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"} } } }
        }
        """;

    private const string TagMembers = $$"""
        {"name": {"type": "string", "maxLength": 80}, "created_at": {{Time}}, "updated_at": {{Time}} }
        """;

    private const string ResourceTypeMembers = $$"""
        {
          "name": {"type": "string", "maxLength": 80, "description": "The type, called as in orchestration: OS::Glance::Image"},
          "prefix": {"type": "string", "maxLength": 80, "description": "Stands before the names of the properties on such resources, its separator included"},
          "properties_target": {"type": "string", "maxLength": 80, "description": "Which set of properties is meant, where such resources have several"},
          "created_at": {{Time}},
          "updated_at": {{Time}}
        }
        """;

    private static readonly FrozenDictionary<string, byte[]> ByName = new Dictionary<string, JsonObject>
    {
        ["namespace"] = WithProperties(Namespace()),
        ["namespaces"] = WithProperties(GlanceSchemas.ListOf(Namespace(), "namespaces", paged: true)),
        ["resource_type"] = ResourceType(),
        ["resource_types"] = GlanceSchemas.ListOf(ResourceType(), "resource_type_associations", paged: true),
        ["property"] = WithTerms(Property("name", "type", "title")),
        ["properties"] = WithTerms(Properties()),
        ["object"] = WithProperties(Object()),
        ["objects"] = WithProperties(GlanceSchemas.ListOf(Object(), "objects", paged: true)),
        ["tag"] = Tag(),
        ["tags"] = GlanceSchemas.ListOf(Tag(), "tags", paged: true),
    }.ToFrozenDictionary(s => s.Key, s => JsonSerializer.SerializeToUtf8Bytes(s.Value), StringComparer.Ordinal);

    public static byte[]? Find(string name) => ByName.GetValueOrDefault(name);

    private static JsonObject Namespace() => Schema("namespace", NamespaceMembers, "namespace");

    private static JsonObject ResourceType() => Schema("resource_type_association", ResourceTypeMembers, "name");

    private static JsonObject Object() => Schema("object", ObjectMembers, "name");

    private static JsonObject Tag() => Schema("tag", TagMembers, "name");

    private static JsonObject Property(params string[] required) => Schema("property", PropertyMembers, required);

    /// <summary>Properties are no list but an object of them by their names.</summary>
    private static JsonObject Properties()
    {
        var schema = GlanceSchemas.ListOf(Property(), "properties", paged: true);
        schema["properties"]!["properties"] = new JsonObject { ["type"] = "object", ["additionalProperties"] = Property("type", "title") };
        return schema;
    }

    private static JsonObject Schema(string name, string members, params string[] required) => new()
    {
        ["name"] = name,
        ["properties"] = JsonNode.Parse(members),
        ["required"] = new JsonArray([.. required.Select(r => JsonValue.Create(r))]),
        ["additionalProperties"] = false,
    };

    private static JsonObject WithTerms(JsonObject schema)
    {
        schema["definitions"] = JsonNode.Parse(Definitions);
        return schema;
    }

    private static JsonObject WithProperties(JsonObject schema)
    {
        WithTerms(schema)["definitions"]!["property"] = JsonNode.Parse(PropertyMap);
        return schema;
    }
}
