using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Vitrine.Server.Serving;

/// <summary>The blocks that connections receive into: large ones, so that an image of 1 GiB is not received in 262,144 calls.</summary>
/// <remarks>A connection that waits for a request holds none. Blocks are kept pinned and used again, up to a bound.</remarks>
internal sealed class ReceiveBlocks : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockSize = 128 * 1024;
    private const int MostKept = 256;

    private readonly ConcurrentQueue<Block> _free = new();

    // Pipes ask for segments of this length at most from a pool; a larger one they would allocate for themselves.
    public override int MaxBufferSize => BlockSize;

    /// <summary>All connections share one pool.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        if (!_free.TryDequeue(out var block))
            block = new Block(this);

        block.IsRented = true;
        return block;
    }

    protected override void Dispose(bool disposing) => _free.Clear();

    private void Return(Block block)
    {
        if (_free.Count < MostKept)
            _free.Enqueue(block);
    }

    private sealed class Block(ReceiveBlocks pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);

        public bool IsRented { get; set; }

        public Memory<byte> Memory => _bytes;

        public void Dispose()
        {
            if (!IsRented)
                return;

            IsRented = false;
            pool.Return(this);
        }
    }
}
