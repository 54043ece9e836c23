using Vitrine.Content;

namespace Vitrine.Formats;

/// <summary>The refusals that every format has in common.</summary>
internal static class Refusal
{
    /// <summary>No disk is longer: beyond it sums of sizes and offsets could not be told from overflow.</summary>
    public const long MaxVirtualSize = 1L << 60;

    public static UnsafeContentException Truncated(string format) =>
        new("truncated", $"the {format} image ends before its own header says that it does.");

    /// <summary>For content at rest, which is opened as what it was once judged to be.</summary>
    public static UnsafeContentException Mistaken(string format) =>
        new("wrong-format", $"it is no {format} image.");

    public static UnsafeContentException Unsupported(string what) =>
        new("unsupported-format", $"it is {what}, which is not supported.");
}
