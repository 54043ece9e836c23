using System.Collections.Frozen;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>The status of an image in Glance's words.</summary>
internal static class GlanceStatus
{
    private static readonly FrozenDictionary<string, StatusFilter[]> Words = new Dictionary<string, StatusFilter[]>
    {
        // What failed can be tried again as if nothing had been tried: Glance has no status for it.
        ["queued"] = [new(ImageStatus.Queued), new(ImageStatus.Failed)],
        ["saving"] = [new(ImageStatus.Saving)],
        ["importing"] = [new(ImageStatus.Importing)],
        ["uploading"] = [new(ImageStatus.Staged)],
        ["active"] = [new(ImageStatus.Active, Enabled: true)],
        ["deactivated"] = [new(ImageStatus.Active, Enabled: false)],

        // Images are never in these here, or are not listed when they are.
        ["killed"] = [],
        ["deleted"] = [],
        ["pending_delete"] = [],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static string Of(Image image) => image.Status switch
    {
        ImageStatus.Queued or ImageStatus.Failed => "queued",
        ImageStatus.Saving => "saving",
        ImageStatus.Importing => "importing",
        ImageStatus.Staged => "uploading",
        ImageStatus.Active => image.Enabled ? "active" : "deactivated",
        _ => throw new ArgumentOutOfRangeException(nameof(image), image.Status, "Such an image is shown to nobody."),
    };

    /// <summary>What the word asks for: nothing at all, for some words.</summary>
    /// <exception cref="GlanceRefusalException">It is no status.</exception>
    public static IReadOnlyList<StatusFilter> FiltersFor(string word) => Words.TryGetValue(word, out var filters)
        ? filters
        : throw GlanceRefusalException.BadRequest($"Invalid status value: {word}.");
}
