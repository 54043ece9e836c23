using Vitrine.Disks;

namespace Vitrine.Nbd;

/// <summary>A disk as one connection has it, from its handshake until it ends.</summary>
/// <remarks>
/// Every export promises what <see cref="Disk"/> promises; a caller has checked ranges against <see cref="Size"/>. Exports can
/// only be read so far. A writable one, over an overlay of its own, is to be a further member here that is null for all others
/// (as <c>IContentStore</c> hands out what only some stores can do), to which the transmission phase passes what it refuses today.
/// </remarks>
public abstract class NbdExport : IAsyncDisposable
{
    /// <summary>As a client may be told it: it is sent to clients that ask what an export is called.</summary>
    public abstract string Name { get; }

    /// <summary>A line for people; empty where there is nothing to say.</summary>
    public virtual string Description => "";

    /// <summary>In bytes. It does not change.</summary>
    public abstract long Size { get; }

    /// <summary>Fills the buffer with the bytes from an offset on. Called for many ranges at once.</summary>
    public abstract ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>What is where in a range, cut to it, in order and without gaps.</summary>
    public abstract IAsyncEnumerable<Extent> ListExtentsAsync(long start, long length, CancellationToken cancellationToken);

    /// <summary>Gives back what the export was found with. The connection does it once, when nothing is being read any more.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>A guest's disk as an export.</summary>
/// <param name="release">What ends the lease, where the disk is shared with others; without it the disk is closed.</param>
public sealed class DiskExport(string name, Disk disk, string description = "", Func<ValueTask>? release = null) : NbdExport
{
    public override string Name => name;

    public override string Description => description;

    public override long Size => disk.Length;

    public override ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        disk.ReadAsync(offset, buffer, cancellationToken);

    public override IAsyncEnumerable<Extent> ListExtentsAsync(long start, long length, CancellationToken cancellationToken) =>
        disk.ListExtentsAsync(start, length, cancellationToken);

    public override ValueTask DisposeAsync() => release is null ? disk.DisposeAsync() : release();
}
