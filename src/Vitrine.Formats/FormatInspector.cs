using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>Knows qcow2, VMDK, VHD, VHDX, VDI, Parallels, ISO 9660, and the wrappers; every other content is raw, or refused.</summary>
/// <remarks>
/// What a header may say is listed, not what it may not: an image that uses something which this version has not heard of
/// is refused. Content that would be one thing to one reader and another thing to the next is refused as <c>polyglot</c>,
/// content that ends inside its own header as <c>truncated</c>.
/// </remarks>
public sealed class FormatInspector : IFormatInspector
{
    public FormatInspection Begin() => new ContentInspection(findsRows: true);

    /// <summary>Judges content that can be read anywhere as a pass over all of it would, and reads no more than its headers and its end.</summary>
    /// <param name="content">Stays the caller's.</param>
    /// <exception cref="UnsafeContentException">A known format with something in it that is not safe.</exception>
    /// <exception cref="NotAnImageException">Plainly no image.</exception>
    public static Task<FormatVerdict> InspectAsync(ContentReader content, CancellationToken cancellationToken) =>
        new ContentInspection(findsRows: false).InspectAsync(content, cancellationToken);
}
