using Vitrine.Catalogue.Database;
using Vitrine.Images;

namespace Vitrine.Catalogue.Images;

/// <summary>The order of a list, and where in it a page begins.</summary>
/// <remarks>Words and names are ordered by their UTF-8 bytes; an image without a value comes before all that have one.</remarks>
internal sealed class ImageOrder
{
    private readonly IReadOnlyList<ImageSort> _keys;

    public ImageOrder(ImageQuery query)
    {
        IReadOnlyList<ImageSort> asked = query.Sort.Count > 0 ? query.Sort : [new(ImageSortKey.CreatedAt, Descending: true)];

        // What comes after the id, or a key for the second time, settles nothing.
        _keys = [.. asked.Append(new(ImageSortKey.Id, asked[^1].Descending)).DistinctBy(sort => sort.Key).TakeThrough(ImageSortKey.Id)];
    }

    /// <summary>The columns that a page must know of each image to be put in order.</summary>
    public string Columns => string.Join(", ", _keys.Select(sort => Column(sort.Key)));

    public string OrderBy => OrderOf("");

    public string OrderOf(string prefix) =>
        string.Join(", ", _keys.Select(sort => $"{prefix}{Column(sort.Key)}{(sort.Descending ? " desc" : " asc")}"));

    /// <summary>A condition: the image comes after this one.</summary>
    public string After(Image image, Parameters parameters)
    {
        var values = _keys.Select(sort => parameters.Add(Value(sort.Key, image))).ToList();
        return _keys.DistinctBy(sort => sort.Descending).Count() == 1
            ? $"({Columns}) {Sign(_keys[0])} ({string.Join(", ", values)})"
            : AfterInMixedDirections(values);
    }

    // Equal in the first keys and beyond in the next, for each number of first keys.
    private string AfterInMixedDirections(IReadOnlyList<string> values)
    {
        var cases = _keys.Select((beyond, count) => string.Join(" and ",
            _keys.Take(count).Select((sort, i) => $"{Column(sort.Key)} = {values[i]}")
                .Append($"{Column(beyond.Key)} {Sign(beyond)} {values[count]}")));

        // Implied by the cases; said apart, it lets an index be entered in the middle.
        var start = $"{Column(_keys[0].Key)} {Sign(_keys[0])}= {values[0]}";
        return $"({start} and ({string.Join(" or ", cases.Select(c => $"({c})"))}))";
    }

    private static char Sign(ImageSort sort) => sort.Descending ? '<' : '>';

    private static string Column(ImageSortKey key) => key switch
    {
        ImageSortKey.CreatedAt => "created_at",
        ImageSortKey.UpdatedAt => "updated_at",
        ImageSortKey.Name => "name_key",
        ImageSortKey.Status => "status",
        ImageSortKey.DiskFormat => "disk_format_key",
        ImageSortKey.ContainerFormat => "container_format_key",
        ImageSortKey.Size => "size_key",
        ImageSortKey.Id => "id",
        _ => throw new ArgumentOutOfRangeException(nameof(key)),
    };

    // The keys are spelt as the generated columns of the table spell them.
    private static object Value(ImageSortKey key, Image image) => key switch
    {
        ImageSortKey.CreatedAt => Stored.Micros(image.CreatedAt),
        ImageSortKey.UpdatedAt => Stored.Micros(image.UpdatedAt),
        ImageSortKey.Name => image.Name is null ? "" : NameKey(image.Name),
        ImageSortKey.Status => image.Status.Word(),
        ImageSortKey.DiskFormat => Stored.Word(image.DiskFormat) ?? "",
        ImageSortKey.ContainerFormat => Stored.Word(image.ContainerFormat) ?? "",
        ImageSortKey.Size => image.Size ?? -1,
        ImageSortKey.Id => image.Id.ToString(),
        _ => throw new ArgumentOutOfRangeException(nameof(key)),
    };

    /// <summary>What the table's <c>name_key</c> is for a name, so that an empty name differs from none.</summary>
    public static string NameKey(string name) => "=" + name;
}

file static class Sorts
{
    public static IEnumerable<ImageSort> TakeThrough(this IEnumerable<ImageSort> sorts, ImageSortKey last)
    {
        foreach (var sort in sorts)
        {
            yield return sort;
            if (sort.Key == last)
                yield break;
        }
    }
}
