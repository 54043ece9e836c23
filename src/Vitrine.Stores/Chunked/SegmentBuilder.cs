using System.Buffers;

namespace Vitrine.Stores.Chunked;

/// <summary>New blocks that will be one segment.</summary>
/// <param name="plainStart">Where it begins in what the pack's segments mean.</param>
/// <param name="contentStart">How long the content was when the segment began.</param>
internal sealed class SegmentBuilder(uint plainStart, long contentStart)
{
    private readonly byte[] _plain = ArrayPool<byte>.Shared.Rent(PackFormat.MaxSegment);
    private readonly List<PackedBlock> _blocks = new(PackFormat.MostBlocks);
    private int _length;

    public uint PlainStart => plainStart;

    public long ContentStart => contentStart;

    public int Length => _length;

    public uint PlainEnd => plainStart + (uint)_length;

    public bool IsFull => _blocks.Count == PackFormat.MostBlocks;

    public IReadOnlyList<PackedBlock> Blocks => _blocks;

    public ReadOnlySpan<byte> Plain => _plain.AsSpan(0, _length);

    /// <returns>Where the block begins in what the pack's segments mean.</returns>
    public uint Add(in BlockName name, ReadOnlySpan<byte> block)
    {
        var offset = PlainEnd;
        block.CopyTo(_plain.AsSpan(_length));
        _length += block.Length;
        _blocks.Add(new PackedBlock(name, (ushort)block.Length));
        return offset;
    }

    /// <summary>Makes the segment's frame, and gives the builder's buffer back.</summary>
    public PackedSegment Pack(int level)
    {
        var packed = PackedSegment.Compress(Plain, _blocks, level);
        Return();
        return packed;
    }

    public void Return() => ArrayPool<byte>.Shared.Return(_plain);
}
