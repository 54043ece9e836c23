namespace Vitrine.Stores.Chunked;

/// <summary>Where each block of a pack begins and ends in its plain space.</summary>
internal sealed class PackBlocks
{
    private readonly uint[] _ends;

    public PackBlocks(IReadOnlyList<PackedBlock> blocks)
    {
        _ends = new uint[blocks.Count];
        var end = 0u;
        for (var i = 0; i < blocks.Count; i++)
            _ends[i] = end += blocks[i].Length;
    }

    /// <summary>Where the block that has a byte ends.</summary>
    public uint EndOf(uint offset)
    {
        var found = Array.BinarySearch(_ends, offset + 1);
        return _ends[found >= 0 ? found : ~found];
    }
}
