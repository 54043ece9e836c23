namespace Vitrine.Stores.Chunked;

/// <content>What a collection writes anew.</content>
internal sealed partial class ChunkedWriter
{
    private readonly Recent<int, PackBlocks> _blocks = new(MostInFlight);

    /// <summary>Makes the map of a content that refers to certain packs no more: what they have of it is written anew.</summary>
    /// <remarks>The map is good when the writer has been sealed. Nothing else may be written with it.</remarks>
    internal async Task<ContentMap> CopyAsync(ContentMap content, IReadOnlySet<int> leaving)
    {
        await _gate.WaitAsync();
        try
        {
            await EndSegmentAsync();
            (_map, _loggedTo, _restLoggedTo) = (new MapBuilder(), 0, 0);
            foreach (var extent in content.Extents)
            {
                if (leaving.Contains(extent.Pack))
                    await CopyBlocksAsync(extent);
                else
                    _map.Add(extent);
            }

            await EndSegmentAsync();
            return _map.Build();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Seals what was copied.</summary>
    /// <returns>How many bytes were written since the last seal.</returns>
    internal async Task<long> SealAsync()
    {
        await _gate.WaitAsync();
        try
        {
            await _tail;
            var written = (_pack?.Pack.StoredLength ?? 0) + _sealing.Sum(s => s.Pack.StoredLength);
            await SealPacksAsync();
            _sealing = [];
            return written;
        }
        finally
        {
            _gate.Release();
        }
    }

    // Along the blocks of the pack, so that they keep their names.
    private async Task CopyBlocksAsync(MapExtent extent)
    {
        var blocks = await _blocks.GetAsync(extent.Pack, async pack => new PackBlocks(await _engine.Packs.LoadBlocksAsync(pack, CancellationToken.None)));
        var buffer = new byte[PackFormat.BlockLength];
        for (var left = extent; left.Length > 0;)
        {
            var block = buffer.AsMemory(0, (int)Math.Min(left.Length, blocks.EndOf(left.Offset) - left.Offset));
            for (var count = 0; count < block.Length;)
                count += await _engine.Extents.ReadAsync(left.Skip(count).Take(block.Length - count), block[count..], isSequential: true);

            await AddBlockAsync(block);
            left = left.Skip(block.Length);
        }
    }
}
