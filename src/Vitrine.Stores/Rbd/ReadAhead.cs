namespace Vitrine.Stores.Rbd;

/// <summary>Reads an image a few blocks ahead of somebody who reads it from front to back. One caller at a time.</summary>
internal sealed class ReadAhead(RbdImage image, long length)
{
    private const int BlockSize = 2 * 1024 * 1024;
    private const int Depth = 4;

    private readonly Queue<Block> _blocks = new(Depth);
    private readonly Stack<byte[]> _free = new(Depth);

    /// <returns>How many bytes were read: up to the end of the block that the offset is in, if the buffer is long enough.</returns>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer)
    {
        while (_blocks.TryPeek(out var passed) && !passed.Has(offset))
            await DropAsync();

        for (var next = _blocks.LastOrDefault()?.End ?? offset; _blocks.Count < Depth && next < length; next = Begin(next))
        {
            // The first one begins where the reader is.
        }

        var block = _blocks.Peek();
        try
        {
            await block.Reading;
        }
        catch (CephException)
        {
            await SettleAsync();
            throw;
        }

        var start = (int)(offset - block.Offset);
        var count = Math.Min(buffer.Length, block.Length - start);
        block.Buffer.AsMemory(start, count).CopyTo(buffer);
        return count;
    }

    /// <summary>Waits until nothing is read any more, and forgets what was.</summary>
    public async Task SettleAsync()
    {
        while (_blocks.Count > 0)
            await DropAsync();
    }

    private long Begin(long offset)
    {
        var count = (int)Math.Min(BlockSize - offset % BlockSize, length - offset);
        var buffer = _free.TryPop(out var used) ? used : GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);
        var block = new Block(offset, count, buffer, ReadWholeAsync(offset, buffer.AsMemory(0, count)));
        _blocks.Enqueue(block);
        return block.End;
    }

    private async Task ReadWholeAsync(long offset, Memory<byte> buffer)
    {
        for (var count = 0; count < buffer.Length;)
            count += await image.ReadAsync(offset + count, buffer[count..]);
    }

    private async Task DropAsync()
    {
        var block = _blocks.Dequeue();
        await block.Reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _free.Push(block.Buffer);
    }

    private sealed record Block(long Offset, int Length, byte[] Buffer, Task Reading)
    {
        public long End => Offset + Length;

        public bool Has(long offset) => offset >= Offset && offset < End;
    }
}
