using Vitrine.Images;

namespace Vitrine.Content;

/// <summary>Holds what arrived against what was announced.</summary>
public static class ContentRules
{
    /// <summary>Accepts the content, or says why not.</summary>
    /// <param name="image">What was claimed of the image.</param>
    /// <param name="announced">The length that was announced; null where none was.</param>
    /// <exception cref="ContentEmptyException">Not one byte came.</exception>
    /// <exception cref="ContentLengthException">Not as many bytes came as were announced.</exception>
    /// <exception cref="ContentMismatchException">The sum is another.</exception>
    /// <exception cref="FormatMismatchException">The format is another.</exception>
    public static ContentFacts Accept(IngestResult result, Image image, long? announced, Checksum? expected)
    {
        if (result.Verdict is not { } verdict)
            throw new ContentEmptyException();
        if (announced is { } length && length != result.Length)
            throw new ContentLengthException(length, result.Length);
        if (expected is not null && result.Sums[expected.Algorithm] != expected.Hex)
            throw new ContentMismatchException(expected, result.Sums[expected.Algorithm]);

        CheckFormat(image, verdict.Format);
        var virtualSize = verdict.VirtualSize ?? (verdict.Format is DiskFormat.Raw ? result.Length : null);
        return new ContentFacts(
            result.Digest, result.Length, result.Sums[ChecksumAlgorithm.Md5], result.Sums[ChecksumAlgorithm.Sha512], verdict.Format, virtualSize);
    }

    /// <summary>Holds the format that the bytes have against what the image says of itself.</summary>
    /// <exception cref="FormatMismatchException">They are of another format.</exception>
    internal static void CheckFormat(Image image, DiskFormat found)
    {
        // A wrapper's own bytes are not the disk's: what is in it is another matter.
        if (image.ContainerFormat is not (null or ContainerFormat.Bare or ContainerFormat.Ami or ContainerFormat.Ari or ContainerFormat.Aki))
            return;

        if (image.Kind is ImageKind.Volume && found is DiskFormat.Iso)
            throw new FormatMismatchException("a volume", "iso");
        if (image.Kind is ImageKind.Iso && found is not DiskFormat.Iso)
            throw new FormatMismatchException("iso", found.Word());
        if (image.DiskFormat is { } claimed && claimed != found && Judged(claimed) != found)
            throw new FormatMismatchException(claimed.Word(), found.Word());
    }

    /// <summary>Kernels, ram disks and the like have no mark of their own; their bytes look raw.</summary>
    private static DiskFormat Judged(DiskFormat claimed) => claimed switch
    {
        DiskFormat.Ami or DiskFormat.Ari or DiskFormat.Aki or DiskFormat.Ploop => DiskFormat.Raw,
        _ => claimed,
    };
}
