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
        CheckArrival(result, announced, expected);
        return FactsOf(result, image, source: null);
    }

    /// <summary>The wrapper that is to be taken off; null where the content is kept as it came.</summary>
    /// <remarks>
    /// That of an image which its creator calls compressed is what he wants kept, and boot loaders read ram disks and kernels
    /// as they are.
    /// </remarks>
    public static Wrapper? WrapperToOpen(IngestResult result, Image image) =>
        image.ContainerFormat is ContainerFormat.Compressed or ContainerFormat.Ari or ContainerFormat.Aki || image.DiskFormat is DiskFormat.Ari or DiskFormat.Aki
            ? null
            : result.Verdict?.Wrapper;

    /// <summary>Accepts a file in a wrapper as the one that was announced, before anything is taken out of it.</summary>
    /// <inheritdoc cref="Accept" path="/exception"/>
    public static SourceFile AcceptSource(IngestResult result, Wrapper wrapper, long? announced, Checksum? expected)
    {
        CheckArrival(result, announced, expected);
        return new SourceFile(result.Digest, result.Length, wrapper);
    }

    /// <summary>Accepts what was taken out of a file.</summary>
    /// <exception cref="ContentEmptyException">There was nothing in it.</exception>
    /// <exception cref="UnsafeContentException">There is a further wrapper in it.</exception>
    /// <exception cref="FormatMismatchException">The format is another.</exception>
    public static ContentFacts AcceptUnpacked(IngestResult result, Image image, SourceFile source) =>
        result.Verdict?.Wrapper is { } inner
            ? throw new UnsafeContentException("wrapper-nested", $"in the {source.Wrapper!.Value.Word()} file is a {inner.Word()} file, not an image.")
            : FactsOf(result, image, source);

    /// <summary>Accepts what was made of a disk that had been accepted itself.</summary>
    /// <param name="arrived">What the disk came in.</param>
    /// <exception cref="UnsafeContentException">
    /// What is on the disk would be taken for something else than a disk: a guest chose those bytes, not whoever reads them.
    /// </exception>
    public static ContentFacts AcceptConverted(IngestResult result, ContentFacts arrived, DiskFormat target)
    {
        if (result.Verdict is not { Wrapper: null, Container: ContainerFormat.Bare } verdict || verdict.Format != target)
            throw new UnsafeContentException("disk-mistakable", $"as {target.Word()}, which the store keeps it in, the disk looks like something else.");

        var source = (arrived.Source ?? new SourceFile(arrived.Digest, arrived.Size, Wrapper: null)) with { Format = arrived.Format };
        return new ContentFacts(
            result.Digest, result.Length, result.Sums[ChecksumAlgorithm.Md5], result.Sums[ChecksumAlgorithm.Sha512], target,
            verdict.VirtualSize ?? result.Length, source);
    }

    /// <summary>Holds the format that the bytes have against what the image says of itself.</summary>
    /// <exception cref="FormatMismatchException">They are of another format.</exception>
    internal static void CheckFormat(Image image, DiskFormat found, ContainerFormat container)
    {
        if (image.ContainerFormat is { } wrapped and (ContainerFormat.Bare or ContainerFormat.Ova) && (wrapped is ContainerFormat.Ova) != (container is ContainerFormat.Ova))
            throw new FormatMismatchException(wrapped.Word(), container.Word());

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

    /// <exception cref="ContentEmptyException">Not one byte came.</exception>
    /// <exception cref="ContentLengthException">Not as many bytes came as were announced.</exception>
    internal static void CheckLength(long length, long? announced)
    {
        if (length == 0)
            throw new ContentEmptyException();
        if (announced is { } expected && expected != length)
            throw new ContentLengthException(expected, length);
    }

    private static void CheckArrival(IngestResult result, long? announced, Checksum? expected)
    {
        CheckLength(result.Length, announced);
        if (expected is not null && result.Sums[expected.Algorithm] != expected.Hex)
            throw new ContentMismatchException(expected, result.Sums[expected.Algorithm]);
    }

    private static ContentFacts FactsOf(IngestResult result, Image image, SourceFile? source)
    {
        var verdict = result.Verdict ?? throw new ContentEmptyException();
        CheckFormat(image, verdict.Format, verdict.Container);
        var isRawDisk = verdict is { Format: DiskFormat.Raw, Wrapper: null };
        return new ContentFacts(
            result.Digest, result.Length, result.Sums[ChecksumAlgorithm.Md5], result.Sums[ChecksumAlgorithm.Sha512], verdict.Format,
            verdict.VirtualSize ?? (isRawDisk ? result.Length : null), source)
        {
            Container = verdict.Container,
        };
    }

    /// <summary>Kernels, ram disks and the like have no mark of their own; their bytes look raw.</summary>
    private static DiskFormat Judged(DiskFormat claimed) => claimed switch
    {
        DiskFormat.Ami or DiskFormat.Ari or DiskFormat.Aki or DiskFormat.Ploop => DiskFormat.Raw,
        _ => claimed,
    };
}
