using System.Collections.Immutable;
using System.Text.Json;
using Vitrine.Access;
using Vitrine.Metadata;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>Reads what the bodies of requests define.</summary>
internal static class MetadefBody
{
    /// <summary>What only we write; refused in what a request is about, passed over further in, where clients send what they got.</summary>
    private static readonly string[] Ours = ["self", "schema", "created_at", "updated_at"];

    private static readonly string[] NamespaceMembers =
    [
        "namespace", "display_name", "description", "visibility", "protected", "owner",
        "resource_type_associations", "properties", "objects", "tags",
    ];

    private static readonly string[] ObjectMembers = ["name", "description", "required", "properties"];
    private static readonly string[] LinkMembers = ["name", "prefix", "properties_target"];

    /// <param name="owner">Where the body names none.</param>
    public static DefinitionNamespace ReadNamespace(JsonElement body, ProjectId? owner, DateTimeOffset now)
    {
        RefuseReadOnly(body, Ours);
        RefuseUnknown(body, "a namespace", NamespaceMembers);
        return new DefinitionNamespace
        {
            Id = NamespaceId.New(),
            Name = Required(body, "namespace"),
            DisplayName = Optional(body, "display_name"),
            Description = Optional(body, "description"),
            Public = ReadVisibility(Optional(body, "visibility") ?? "private"),
            Protected = GlanceBody.Find(body, "protected") is { } flag && GlanceBody.Flag(flag, "protected"),
            Owner = Optional(body, "owner") is { } named ? new ProjectId(named) : owner,
            ResourceTypes = Each(body, "resource_type_associations", item => ReadLink(item, now)),
            Properties = GlanceBody.Find(body, "properties") is { } properties ? PropertyBody.ReadMap(properties) : [],
            Objects = Each(body, "objects", item => ReadObjectWithin(item, now)),
            Tags = Each(body, "tags", item => new DefinedTag(Required(item, "name"), now, now)),
            CreatedAt = now,
            UpdatedAt = now,
        };
    }

    public static bool ReadVisibility(string word) => word switch
    {
        "public" => true,
        "private" => false,
        _ => throw GlanceRefusalException.BadRequest($"Invalid visibility value: {word}"),
    };

    public static DefinedObject ReadObject(JsonElement body, DateTimeOffset now)
    {
        RefuseReadOnly(body, Ours);
        return ReadObjectWithin(body, now);
    }

    public static ResourceTypeLink ReadAssociation(JsonElement body, DateTimeOffset now)
    {
        RefuseReadOnly(body, "created_at", "updated_at");
        return ReadLink(body, now);
    }

    /// <summary>The name of a tag that gets another.</summary>
    public static string ReadTagName(JsonElement body)
    {
        RefuseReadOnly(body, "created_at", "updated_at");
        RefuseUnknown(body, "a tag", "name");
        return Required(body, "name");
    }

    public static IReadOnlyList<string> ReadTagNames(JsonElement body)
    {
        RefuseUnknown(body, "a list of tags", "tags");
        if (GlanceBody.Find(body, "tags") is null)
            throw Missing("tags");

        return Each(body, "tags", item =>
        {
            RefuseUnknown(item, "a tag", "name");
            return Required(item, "name");
        });
    }

    public static string Required(JsonElement body, string name) => GlanceBody.Find(body, name) is { } value
        ? GlanceBody.Text(value, name)
        : throw Missing(name);

    public static void RefuseReadOnly(JsonElement body, params IReadOnlyCollection<string> names)
    {
        foreach (var (name, _) in GlanceBody.Members(body))
        {
            if (names.Contains(name))
                throw GlanceRefusalException.Forbidden($"Attribute '{name}' is read-only.");
        }
    }

    public static GlanceRefusalException Unknown(string name, string where) => GlanceRefusalException.BadRequest($"{where} has no attribute '{name}'.");

    private static DefinedObject ReadObjectWithin(JsonElement body, DateTimeOffset now)
    {
        RefuseUnknown(body, "an object", [.. ObjectMembers, .. Ours]);
        return new DefinedObject
        {
            Name = Required(body, "name"),
            Description = Optional(body, "description"),
            Required = GlanceBody.Find(body, "required") is { } required ? ReadRequired(required) : [],
            Properties = GlanceBody.Find(body, "properties") is { } properties ? PropertyBody.ReadMap(properties) : [],
            CreatedAt = now,
            UpdatedAt = now,
        };
    }

    private static ImmutableList<string> ReadRequired(JsonElement value)
    {
        var names = GlanceBody.Texts(value, "required").ToImmutableList();
        return names.Distinct(StringComparer.Ordinal).Count() == names.Count
            ? names
            : throw GlanceRefusalException.BadRequest("required: names a property twice.");
    }

    private static ResourceTypeLink ReadLink(JsonElement body, DateTimeOffset now)
    {
        RefuseUnknown(body, "an association", [.. LinkMembers, .. Ours]);
        return new ResourceTypeLink(Required(body, "name"), Optional(body, "prefix"), Optional(body, "properties_target"), now, now);
    }

    private static ImmutableList<T> Each<T>(JsonElement body, string name, Func<JsonElement, T> read) => GlanceBody.Find(body, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(item => item.ValueKind is JsonValueKind.Object
            ? read(item)
            : throw GlanceRefusalException.BadRequest($"{name}: each must be an object."))],
        _ => throw GlanceRefusalException.BadRequest($"{name}: must be a list."),
    };

    private static string? Optional(JsonElement body, string name) =>
        GlanceBody.Find(body, name) is { } value ? GlanceBody.TextOrNull(value, name) : null;

    private static void RefuseUnknown(JsonElement body, string what, params IReadOnlyCollection<string> known)
    {
        foreach (var (name, _) in GlanceBody.Members(body))
        {
            if (!known.Contains(name))
                throw Unknown(name, what);
        }
    }

    private static GlanceRefusalException Missing(string name) => GlanceRefusalException.BadRequest($"The body needs a member '{name}'.");
}
