using System.Text.Json.Serialization;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Images;

/// <summary>A store as Glance v2 spells it; its flags are the string "true", or absent.</summary>
internal sealed record GlanceStore(
    string Id,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Description,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Default,
    [property: JsonPropertyName("read-only"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ReadOnly,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] GlanceStoreProperties? Properties)
{
    public static GlanceStore From(LibraryStore store) => new(
        store.Name, store.Description.Length > 0 ? store.Description : null, store.IsDefault ? "true" : null,
        store.Mode is StoreMode.Open ? null : "true", Type: null, Properties: null);

    /// <summary>With what only administrators are shown.</summary>
    public static GlanceStore Detailed(LibraryStore store) => From(store) with
    {
        // Glance's word for a store in a directory.
        Type = store.Kind == "directory" ? "file" : store.Kind,
        Properties = new GlanceStoreProperties(store.Zone),
    };
}

internal sealed record GlanceStoreProperties(string Zone);

internal sealed record GlanceStoreList(IReadOnlyList<GlanceStore> Stores);
