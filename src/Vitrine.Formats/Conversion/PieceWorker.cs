using System.Buffers;
using Vitrine.Disks;

namespace Vitrine.Formats.Conversion;

/// <summary>What one worker of a <see cref="DiskWalk"/> does with each piece that it gets.</summary>
internal abstract class PieceWorker(DiskWalk walk) : IDisposable
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(walk.PieceLength);
    private int _length;

    /// <summary>In bytes from the disk's first one.</summary>
    protected long Start { get; private set; }

    /// <summary>Whole units; what the last one has beyond the disk's end is zeros.</summary>
    protected ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    public async ValueTask ReadAsync(Disk disk, Piece piece, CancellationToken cancellationToken)
    {
        (Start, _length) = (piece.Start, piece.Length);
        await disk.ReadPaddedAsync(piece.Start, _buffer.AsMemory(0, _length), cancellationToken);
    }

    /// <summary>What needs the piece alone; others do the same at that time.</summary>
    public virtual void Prepare()
    {
    }

    /// <summary>What needs to know all that came before on the disk; one does it at a time.</summary>
    public virtual ValueTask TakeTurnAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>What is left once the next piece has its turn; others do the same at that time.</summary>
    public virtual void Finish()
    {
    }

    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool isDisposing) => ArrayPool<byte>.Shared.Return(_buffer);
}
