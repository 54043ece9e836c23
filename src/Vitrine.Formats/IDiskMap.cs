using Vitrine.Disks;

namespace Vitrine.Formats;

/// <summary>Where a format keeps the guest's bytes.</summary>
internal interface IDiskMap
{
    /// <summary>Of the guest's disk, in bytes.</summary>
    long Length { get; }

    /// <summary>What is at an offset of the disk, and how far that goes.</summary>
    /// <param name="most">No stretch is longer; it never reaches beyond the disk's end.</param>
    /// <returns>A stretch that need not be the longest: the next one may go on in the same way. It is never empty.</returns>
    /// <exception cref="Content.UnsafeContentException">The tables cannot be right.</exception>
    ValueTask<Stretch> FindAsync(long offset, long most, CancellationToken cancellationToken);

    /// <summary>Fills the buffer, which is not longer than the stretch, from a stretch of data.</summary>
    /// <exception cref="Content.UnsafeContentException">The data are not there, or damaged.</exception>
    ValueTask ReadAsync(Stretch stretch, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <inheritdoc cref="Disk.CheckAsync"/>
    Task CheckAsync(CancellationToken cancellationToken);
}

/// <summary>A part of the disk that is all of one kind and, where it is data, lies in one piece.</summary>
/// <param name="Start">The offset that was asked for.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Place">Where its data begin in the content; where they are compressed, where the compressed ones do.</param>
/// <param name="Within">How many bytes of what is compressed there come before.</param>
internal readonly record struct Stretch(ExtentKind Kind, long Start, long Length, long Place = 0, int Within = 0);
