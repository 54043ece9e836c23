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
        ushort[] lengths = _blocks.TrueForAll(b => b.Length == PackFormat.BlockLength) ? [] : [.. _blocks.Select(b => b.Length)];
        var header = PackFormat.FrameHeaderLength + 2 * lengths.Length;
        var frame = ArrayPool<byte>.Shared.Rent(header + _length);
        var stored = frame.AsSpan(header);
        var (coding, length) = SegmentCodec.Compress(Plain, stored, level);
        if (coding is SegmentCoding.Raw)
        {
            Plain.CopyTo(stored);
            length = _length;
        }

        var entry = new SegmentEntry(0, length, plainStart, _length, Checksum32.Of(stored[..length]), coding);
        PackFormat.WriteFrameHeader(frame, entry, lengths);
        Return();
        return new PackedSegment(frame, header + length, entry, _blocks);
    }

    public void Return() => ArrayPool<byte>.Shared.Return(_plain);
}

/// <summary>A segment's frame, ready to be appended to a pack.</summary>
internal sealed record PackedSegment(byte[] Buffer, int Length, SegmentEntry Entry, IReadOnlyList<PackedBlock> Blocks) : IDisposable
{
    public ReadOnlyMemory<byte> Frame => Buffer.AsMemory(0, Length);

    public void Dispose() => ArrayPool<byte>.Shared.Return(Buffer);
}
