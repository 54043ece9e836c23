using Vitrine.Content;

namespace Vitrine.Formats.Qcow2;

/// <summary>The refusals that the parts of a qcow2 image have in common.</summary>
internal static class Qcow2Refusal
{
    public static UnsafeContentException BadGeometry(string what) =>
        new("qcow2-bad-geometry", $"the qcow2 image cannot be right: {what}.");

    public static UnsafeContentException Overlap(string what) =>
        new("qcow2-overlap", $"the qcow2 image uses one part of itself for two things: {what}.");

    public static UnsafeContentException Damaged() =>
        new("qcow2-damaged", "a compressed cluster of the qcow2 image does not unfold to a cluster.");
}
