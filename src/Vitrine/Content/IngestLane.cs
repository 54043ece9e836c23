using System.Buffers;
using System.Threading.Channels;

namespace Vitrine.Content;

/// <summary>One of the things that happen to every byte of an ingest, in the order of the bytes, beside the others.</summary>
internal sealed class IngestLane
{
    private const int Depth = 8;

    private readonly Channel<IngestBlock> _blocks = Channel.CreateBounded<IngestBlock>(
        new BoundedChannelOptions(Depth) { SingleReader = true, SingleWriter = true });

    private readonly Func<ReadOnlyMemory<byte>, ValueTask> _consume;
    private readonly IngestLane? _next;
    private readonly Task _work;
    private volatile bool _hasFailed;

    /// <param name="next">Where blocks go on to when they were dealt with here, but for those that the store has already.</param>
    public IngestLane(Func<ReadOnlyMemory<byte>, ValueTask> consume, TaskScheduler scheduler, IngestLane? next = null)
    {
        (_consume, _next) = (consume, next);
        _work = scheduler is IngestThreads threads ? threads.Run(WorkAsync) : Task.Run(WorkAsync);
    }

    /// <summary>Waits while the lane is <see cref="Depth"/> blocks behind, which is what slows the sender down.</summary>
    /// <remarks>Not to be cancelled: a block that one lane got and the next did not would spoil the whole pass.</remarks>
    public async ValueTask GiveAsync(IngestBlock block)
    {
        try
        {
            await _blocks.Writer.WriteAsync(block);
        }
        catch (ChannelClosedException closed)
        {
            block.Release();
            await _work; // throws what ended the lane
            throw new InvalidOperationException("A lane ended before its bytes.", closed);
        }
    }

    /// <summary>Waits until every block given so far was dealt with. Throws what went wrong with any.</summary>
    public async Task SettleAsync()
    {
        var mark = IngestBlock.Mark();
        try
        {
            await _blocks.Writer.WriteAsync(mark);
            await mark.Released;
        }
        catch (ChannelClosedException)
        {
            // The lane has ended, and with it all that it was given.
            await _work;
        }

        // A lane that fails lets go of the mark, too.
        if (_hasFailed)
            await _work;
    }

    /// <summary>Ends when every block was dealt with. Throws what went wrong with any.</summary>
    public Task FinishAsync()
    {
        _blocks.Writer.TryComplete();
        return _work;
    }

    /// <summary>Ends soon, and throws nothing.</summary>
    public async Task AbandonAsync()
    {
        _blocks.Writer.TryComplete();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WorkAsync()
    {
        try
        {
            await foreach (var block in _blocks.Reader.ReadAllAsync())
            {
                var isPassedOn = false;
                try
                {
                    if (block.Bytes.Length > 0)
                        await _consume(block.Bytes);

                    isPassedOn = _next is not null && block is { Bytes.Length: > 0, IsStored: false };
                }
                finally
                {
                    if (!isPassedOn)
                        block.Release();
                }

                if (isPassedOn)
                    await _next!.GiveAsync(block);
            }
        }
        catch (Exception failure)
        {
            _hasFailed = true;
            _blocks.Writer.TryComplete(failure);
            while (_blocks.Reader.TryRead(out var left))
                left.Release();
            throw;
        }
    }
}

/// <summary>Some bytes on their way through all lanes; the buffer goes back to the pool when the last has let go of it.</summary>
/// <param name="isStored">Whether the bytes come from the store itself.</param>
internal sealed class IngestBlock(byte[] buffer, int length, int lanes, bool isStored)
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _holders = lanes;

    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

    public bool IsStored => isStored;

    /// <summary>Ends when the last lane has let go of the block.</summary>
    public Task Released => _released.Task;

    /// <summary>A block without bytes for one lane, to see when it comes out.</summary>
    public static IngestBlock Mark() => new([], 0, lanes: 1, isStored: true);

    /// <summary>Says that so many lanes more have it.</summary>
    public void Hold(int lanes) => Interlocked.Add(ref _holders, lanes);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) != 0)
            return;

        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        _released.TrySetResult();
    }
}
