using System.Collections.Frozen;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>The order of a list of images, in either of Glance's two ways to say it.</summary>
internal static class ImageSorting
{
    /// <summary>As many as there are keys; more would only repeat some.</summary>
    private const int MaxKeys = 8;

    private static readonly FrozenDictionary<string, ImageSortKey> Keys = new Dictionary<string, ImageSortKey>
    {
        ["name"] = ImageSortKey.Name,
        ["status"] = ImageSortKey.Status,
        ["container_format"] = ImageSortKey.ContainerFormat,
        ["disk_format"] = ImageSortKey.DiskFormat,
        ["size"] = ImageSortKey.Size,
        ["id"] = ImageSortKey.Id,
        ["created_at"] = ImageSortKey.CreatedAt,
        ["updated_at"] = ImageSortKey.UpdatedAt,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <exception cref="GlanceRefusalException">A key or direction is unknown, or both ways are used at once.</exception>
    public static IReadOnlyList<ImageSort> Read(GlanceQuery query)
    {
        var keys = query.All("sort_key").ToList();
        var directions = query.All("sort_dir").ToList();
        if (query.Last("sort") is not { } sort)
            return Checked(Paired(keys, directions));

        return keys.Count + directions.Count == 0
            ? Checked([.. sort.Split(',').Select(ReadOne)])
            : throw GlanceRefusalException.BadRequest("The parameters sort, and sort_key or sort_dir, cannot be used together.");
    }

    private static List<ImageSort> Paired(List<string> keys, List<string> directions)
    {
        if (keys.Count == 0 && directions.Count > 0)
            keys = ["created_at"];
        if (directions.Count > 1 && directions.Count != keys.Count)
            throw GlanceRefusalException.BadRequest("Give one sort_dir for all, or as many as there are of sort_key.");

        return [.. keys.Select((key, i) => Sort(key, directions.Count == 0 ? null : directions[directions.Count == 1 ? 0 : i]))];
    }

    private static ImageSort ReadOne(string text)
    {
        var parts = text.Trim().Split(':');
        return parts.Length <= 2
            ? Sort(parts[0], parts.ElementAtOrDefault(1))
            : throw GlanceRefusalException.BadRequest($"sort: '{text}' is not of the form key or key:direction.");
    }

    private static ImageSort Sort(string key, string? direction)
    {
        if (!Keys.TryGetValue(key, out var known))
            throw GlanceRefusalException.BadRequest($"Unsupported sort_key '{key}'; use one of {string.Join(", ", Keys.Keys.Order(StringComparer.Ordinal))}.");

        return new ImageSort(known, direction switch
        {
            null or "desc" => true,
            "asc" => false,
            _ => throw GlanceRefusalException.BadRequest($"Invalid sort direction '{direction}'; use asc or desc."),
        });
    }

    private static List<ImageSort> Checked(List<ImageSort> sorts) => sorts.Count <= MaxKeys && sorts.DistinctBy(s => s.Key).Count() == sorts.Count
        ? sorts
        : throw GlanceRefusalException.BadRequest("A sort key may be used once.");
}
