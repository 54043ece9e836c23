using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The direction of a list.</summary>
internal static class MetadefSorting
{
    /// <summary>The newest come first, unless it is asked otherwise.</summary>
    public static bool IsDescending(GlanceQuery query) => (query.Last("sort_dir") ?? "desc") switch
    {
        "desc" => true,
        "asc" => false,
        var other => throw GlanceRefusalException.BadRequest($"Invalid sort direction: {other}"),
    };
}
