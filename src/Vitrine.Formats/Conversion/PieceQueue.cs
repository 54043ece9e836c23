using Vitrine.Disks;

namespace Vitrine.Formats.Conversion;

/// <summary>The data of a disk cut into pieces, in guest order, for whoever has time for the next one.</summary>
internal sealed class PieceQueue : IAsyncDisposable
{
    private readonly Disk _disk;
    private readonly int _pieceLength;
    private readonly int _unitLength;
    private readonly CancellationToken _cancellationToken;
    private readonly IAsyncEnumerator<Extent> _extents;
    private readonly SemaphoreSlim _one = new(1);
    private long _position;
    private long _end;
    private Task _turn = Task.CompletedTask;

    public PieceQueue(Disk disk, int pieceLength, int unitLength, CancellationToken cancellationToken)
    {
        (_disk, _pieceLength, _unitLength, _cancellationToken) = (disk, pieceLength, unitLength, cancellationToken);
        _extents = disk.ListExtentsAsync(0, disk.Length, cancellationToken).GetAsyncEnumerator(cancellationToken);
    }

    /// <returns>Null once there is no more.</returns>
    public async ValueTask<Piece?> TakeAsync()
    {
        await _one.WaitAsync(_cancellationToken);
        try
        {
            return await FindDataAsync() ? Cut() : null;
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _extents.DisposeAsync();
        _one.Dispose();
    }

    private async ValueTask<bool> FindDataAsync()
    {
        while (_position == _end)
        {
            if (!await _extents.MoveNextAsync())
                return false;

            // A unit that the data before reach into is taken already.
            var extent = _extents.Current;
            if (extent.Kind == ExtentKind.Data)
                (_position, _end) = (Math.Max(_end, extent.Start / _unitLength * _unitLength), Math.Max(_end, EndOfUnit(extent.End)));
        }

        return true;
    }

    private Piece Cut()
    {
        var length = (int)Math.Min(_end - _position, _pieceLength - _position % _pieceLength);
        var piece = new Piece(_position, length, _turn);
        (_position, _turn) = (_position + length, piece.Ended);
        return piece;
    }

    private long EndOfUnit(long position) => (position + _unitLength - 1) / _unitLength * _unitLength;
}

/// <param name="turn">Over once the piece before has had its turn.</param>
internal sealed class Piece(long start, int length, Task turn)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Start => start;

    /// <summary>It may go beyond the disk's end, to the end of a unit.</summary>
    public int Length => length;

    public long End => start + length;

    public Task Turn => turn;

    public Task Ended => _ended.Task;

    public void EndTurn() => _ended.SetResult();
}
