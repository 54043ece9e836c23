using System.Buffers;

namespace Vitrine.Stores.Chunked;

/// <content>What is taken from packs that exist, here or in another store: along their blocks, so that these keep their names.</content>
/// <remarks>
/// A block that the store has is not read. Segments none of whose blocks it has come as they are stored, and are unfolded only to see that
/// their blocks are what they are called; what is missing of other segments is cut and compressed anew.
/// </remarks>
internal sealed partial class ChunkedWriter
{
    // So much of a content is taken at most before the caller is asked again.
    private const long MostTaken = 16 * 1024 * 1024;

    private readonly Recent<Guid, PackBlocks> _blocks = new(MostInFlight);

    // Nobody holds the bytes of a copy against its digest: it must not refer to what was found damaged while it was made, as by the scrub that wants the copy.
    private bool _isCopied;

    public override bool CanTake(ContentReader content) => content is ChunkedReader;

    public override async ValueTask<long> TakeAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var source = (ChunkedReader)content;
        ThrowIfCommitted();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await ThrowIfFailedAsync();
            if (_carried > 0)
                await AddCarryAsync();

            _isCopied = true;
            var read = 0L;
            for (var end = Math.Min(source.Length, _map.Length + MostTaken); _map.Length < end;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var extent = source.Map.At(_map.Length);
                read += await CopyAsync(source.Engine, extent.Take(Math.Min(extent.Length, end - _map.Length)));
            }

            return read;
        }
        finally
        {
            _gate.Release();
        }
    }

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
                    await CopyAsync(_engine, extent);
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

    /// <param name="source">The store whose packs the extent refers to.</param>
    /// <returns>How many bytes had to be read, as they are without compression.</returns>
    /// <exception cref="StoreDamagedException">They are not what was written.</exception>
    private async ValueTask<long> CopyAsync(ChunkedEngine source, MapExtent extent)
    {
        if (extent.IsZero && MayBeApart)
        {
            _map.Add(extent);
            await AfterBlockAsync();
            return 0;
        }

        if (extent.IsZero)
            return await CopyZerosAsync(extent.Length);

        var pack = source.Packs[extent.Pack];
        var blocks = await _blocks.GetAsync(pack.Id, async _ => new PackBlocks(await source.Packs.LoadBlocksAsync(extent.Pack, CancellationToken.None)));
        var segments = await source.Packs.SegmentsAsync(extent.Pack);
        var read = 0L;
        for (var left = extent; left.Length > 0;)
        {
            var first = ExtentReader.FindSegment(segments, left.Offset);
            if (first < 0)
                throw source.Packs.Damaged(pack);

            var count = await CountMissingAsync(segments, first, left, blocks, source.Objects.ReadStep);
            var length = count > 0
                ? segments[first + count - 1].PlainEnd - left.Offset
                : Math.Min(left.Length, segments[first].PlainEnd - left.Offset);
            read += count > 0
                ? await CopySegmentsAsync(source, extent.Pack, [.. segments.Skip(first).Take(count)], blocks)
                : await CopyBlocksAsync(source, left.Take(length), blocks);
            left = left.Skip(length);
        }

        return read;
    }

    // A map that is in pieces has them as blocks.
    private async ValueTask<long> CopyZerosAsync(long length)
    {
        for (var zeros = new byte[PackFormat.BlockLength]; length > 0; length -= Math.Min(length, zeros.Length))
            await AddBlockAsync(zeros.AsMemory(0, (int)Math.Min(length, zeros.Length)));

        return 0;
    }

    // How many segments from one on lie within an extent with nothing known in them, as far as it is worth to read them at once.
    private async ValueTask<int> CountMissingAsync(IReadOnlyList<SegmentEntry> segments, int first, MapExtent extent, PackBlocks blocks, int step)
    {
        for (var index = first; index < segments.Count; index++)
        {
            var segment = segments[index];
            var names = blocks.Between(segment.PlainStart, segment.PlainEnd).Select(b => b.Name).ToArray();
            await _engine.Index.MeetAsync(names);
            var isMissing = segment.PlainStart >= extent.Offset && segment.PlainEnd <= extent.Offset + extent.Length && !Array.Exists(names, n => FindPlace(n) is not null);
            if (!isMissing || segment.End - segments[first].Offset > Math.Max(step, PackFormat.MaxSegment))
                return index - first;
        }

        return segments.Count - first;
    }

    private async ValueTask<long> CopySegmentsAsync(ChunkedEngine source, int pack, SegmentEntry[] segments, PackBlocks blocks)
    {
        var start = segments[0].Offset;
        var length = (int)(segments[^1].End - start);
        var stored = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await source.Packs.ReadStoredAsync(pack, start, stored.AsMemory(0, length), CancellationToken.None);
            var packed = await Task.WhenAll(segments.Select(s => Task.Run(() => PackedSegment.TakeOver(
                s, stored.AsSpan((int)(s.Offset - start), s.StoredLength), blocks.Between(s.PlainStart, s.PlainEnd)) ?? throw source.Packs.Damaged(source.Packs[pack]))));
            await EndSegmentAsync();
            foreach (var segment in packed)
                await AddSegmentAsync(segment);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
        }

        return segments.Sum(s => (long)s.PlainLength);
    }

    private async ValueTask AddSegmentAsync(PackedSegment segment)
    {
        _pack ??= await OwnPack.BeginAsync(_engine, _key, _spare.TryPop(out var spare) ? spare : []);
        await _slots.WaitAsync();
        foreach (var block in segment.Blocks)
        {
            _map.Add(new MapExtent(block.Length, _pack.Number, _pack.PlainLength));
            _pack.Add(block.Name, _pack.PlainLength, block.Length);
        }

        await AppendAsync(_pack, Task.FromResult(segment));
    }

    private async ValueTask<long> CopyBlocksAsync(ChunkedEngine source, MapExtent extent, PackBlocks blocks)
    {
        var read = 0L;
        var buffer = new byte[PackFormat.BlockLength];
        for (var left = extent; left.Length > 0;)
        {
            var index = blocks.IndexOf(left.Offset);
            var (name, whole) = blocks[index];
            var block = buffer.AsMemory(0, (int)Math.Min(left.Length, blocks.EndOf(index) - left.Offset));
            left = left.Skip(block.Length);
            if (block.Length == whole && TryAddKnown(name, whole))
            {
                await AfterBlockAsync();
                continue;
            }

            for (var count = 0; count < block.Length;)
                count += await source.Extents.ReadAsync(extent.Skip(extent.Length - left.Length - block.Length + count), block[count..], isSequential: true);

            read += block.Length;
            if (block.Length != whole)
                await AddBlockAsync(block);
            else if (BlockName.Of(block.Span) == name)
                await AddNewBlockAsync(name, block);
            else
                throw source.Packs.Damaged(source.Packs[extent.Pack]);
        }

        return read;
    }
}
