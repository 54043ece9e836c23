namespace Vitrine.Stores.Chunked;

/// <summary>The blocks of a pack, by where they lie in its plain space.</summary>
internal sealed class PackBlocks
{
    private readonly PackedBlock[] _blocks;
    private readonly uint[] _ends;

    public PackBlocks(PackedBlock[] blocks)
    {
        (_blocks, _ends) = (blocks, new uint[blocks.Length]);
        var end = 0u;
        for (var i = 0; i < blocks.Length; i++)
            _ends[i] = end += blocks[i].Length;
    }

    /// <summary>The number of the block that has a byte.</summary>
    public int IndexOf(uint offset)
    {
        var found = Array.BinarySearch(_ends, offset + 1);
        return found >= 0 ? found : ~found;
    }

    public PackedBlock this[int index] => _blocks[index];

    /// <summary>Where a block ends.</summary>
    public uint EndOf(int index) => _ends[index];

    /// <summary>The blocks of a stretch that begins and ends between two.</summary>
    public ArraySegment<PackedBlock> Between(uint start, uint end)
    {
        var first = IndexOf(start);
        return new ArraySegment<PackedBlock>(_blocks, first, IndexOf(end - 1) + 1 - first);
    }
}
