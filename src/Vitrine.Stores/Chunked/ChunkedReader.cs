namespace Vitrine.Stores.Chunked;

/// <summary>A content, put together from the packs that have its blocks.</summary>
internal sealed class ChunkedReader(ContentMap map, ExtentReader extents, IDisposable pin) : ContentReader
{
    private readonly ReadAhead _ahead = new(map, extents);

    // Where the last read ended: whoever reads on from there is likely to go on.
    private long _next;

    public override long Length => map.Length;

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref _next, offset + buffer.Length) == offset)
            _ahead.GoOn(offset);

        var count = 0;
        while (count < buffer.Length && offset + count < map.Length)
            count += await extents.ReadAsync(map.At(offset + count), buffer[count..], isSequential: false);

        return count;
    }

    public override ValueTask DisposeAsync()
    {
        _ahead.Dispose();
        pin.Dispose();
        return ValueTask.CompletedTask;
    }
}
