using Vitrine.Images;

namespace Vitrine.Content;

/// <summary>Judges by content what arriving bytes are, and whether they are safe to keep.</summary>
public interface IFormatInspector
{
    /// <summary>Begins to look at content of which nothing has been seen yet.</summary>
    FormatInspection Begin();
}

/// <summary>One pass over one content, from its first byte to its last. Holds a bounded amount of it.</summary>
public abstract class FormatInspection
{
    /// <summary>Looks at the next bytes. Once they are known to be unacceptable, throws the reason.</summary>
    /// <exception cref="UnsafeContentException">A known format with something in it that is not safe.</exception>
    /// <exception cref="NotAnImageException">Plainly no image.</exception>
    public abstract void Observe(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// The next place where data begin that other contents may have at other offsets, such as those of a partition or of a disk's block:
    /// a store that looks for equal parts begins to cut anew there. Places come in order, each before its bytes or with them.
    /// </summary>
    /// <returns>An offset from the content's first byte; null where no more are known yet.</returns>
    public virtual long? TakeRow() => null;

    /// <summary>The verdict, once all bytes have been seen.</summary>
    /// <exception cref="UnsafeContentException">A known format with something in it that is not safe.</exception>
    /// <exception cref="NotAnImageException">Plainly no image, and too short to have been known as that before.</exception>
    public abstract FormatVerdict Complete();
}

/// <param name="Format">Raw where nothing else was recognised.</param>
/// <param name="VirtualSize">The length of the guest's disk in bytes, where the format says it.</param>
/// <param name="VolumeLabel">The name of the medium, where it is an ISO image that has one that can be shown.</param>
/// <param name="Wrapper">Set where the bytes are a compressed file, in which there may be an image.</param>
/// <param name="Container">What wraps the disk; bare where nothing does.</param>
public sealed record FormatVerdict(
    DiskFormat Format, long? VirtualSize, string? VolumeLabel = null, Wrapper? Wrapper = null, ContainerFormat Container = ContainerFormat.Bare);
