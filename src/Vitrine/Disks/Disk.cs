namespace Vitrine.Disks;

/// <summary>The disk that a guest sees, whatever the format of the content that holds it. Read at any offset, by many at once.</summary>
/// <remarks>
/// Every disk promises, and DiskContract in the tests holds it to:
/// <list type="bullet">
/// <item>What is read never changes.</item>
/// <item>Extents come in order and cover the range that was asked for, without gaps; neighbours are of different kinds.</item>
/// <item>What is in an extent that is not data reads as zeros.</item>
/// <item>
/// Content that is damaged, or made to harm, ends in <see cref="Content.UnsafeContentException"/> and nothing else, in bounded
/// time and memory, however large the disk claims to be.
/// </item>
/// </list>
/// A caller has already checked ranges against the disk's length; a disk does not check again.
/// </remarks>
public abstract class Disk : IAsyncDisposable
{
    /// <summary>In bytes. It need not be a whole number of sectors.</summary>
    public abstract long Length { get; }

    /// <summary>Fills the buffer with the bytes from an offset on.</summary>
    /// <exception cref="Content.UnsafeContentException">What the range needs of the content cannot be right.</exception>
    public abstract ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>What is where in a range, cut to it.</summary>
    /// <exception cref="Content.UnsafeContentException">What the range needs of the content cannot be right.</exception>
    public abstract IAsyncEnumerable<Extent> ListExtentsAsync(long start, long length, CancellationToken cancellationToken);

    /// <summary>Looks at all tables of the content, before it is kept: nothing overlaps, and nothing lies outside.</summary>
    /// <exception cref="Content.UnsafeContentException">Something does; the reason says what.</exception>
    public abstract Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Closes the content too.</summary>
    public abstract ValueTask DisposeAsync();
}
