namespace Vitrine.Stores.Rbd;

/// <summary>The snapshot of a committed image. As long as it is open, the cluster knows, and what deletes it waits with its room.</summary>
internal sealed class RbdReader : ContentReader
{
    private readonly RbdImage _image;
    private readonly Func<CephException, LibraryException> _explain;
    private readonly ReadAhead _ahead;
    private readonly SemaphoreSlim _one = new(1);
    private long _next = -1;
    private bool _isOver;

    public RbdReader(RbdImage image, Func<CephException, LibraryException> explain)
    {
        (_image, _explain) = (image, explain);
        Length = image.Size;
        _ahead = new ReadAhead(image, Length);
    }

    public override long Length { get; }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wanted = buffer[..(int)Math.Clamp(Length - offset, 0, buffer.Length)];
        if (wanted.IsEmpty)
            return 0;

        // Of several who read on from where they were, one is served from what was read ahead, and the others as if they had jumped.
        var isSequential = Interlocked.Exchange(ref _next, offset + wanted.Length) == offset;
        try
        {
            return isSequential && _one.Wait(0, CancellationToken.None) ? await ReadAheadAsync(offset, wanted) : await _image.ReadAsync(offset, wanted);
        }
        catch (CephException error)
        {
            throw _explain(error);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_isOver)
            return;

        _isOver = true;
        await _one.WaitAsync();
        await _ahead.SettleAsync();
        _one.Dispose();
        await Task.Run(_image.Dispose);
    }

    private async ValueTask<int> ReadAheadAsync(long offset, Memory<byte> buffer)
    {
        try
        {
            var count = await _ahead.ReadAsync(offset, buffer);
            if (count < buffer.Length)
                Interlocked.CompareExchange(ref _next, offset + count, offset + buffer.Length);
            return count;
        }
        finally
        {
            _one.Release();
        }
    }
}
