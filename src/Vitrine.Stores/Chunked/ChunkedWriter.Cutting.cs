namespace Vitrine.Stores.Chunked;

/// <content>From bytes to blocks: where they are cut, and whether the store has them.</content>
internal sealed partial class ChunkedWriter
{
    // Where the block ends that begins at an offset, and of which all up to another is here.
    private long NextBoundary(long start, long length)
    {
        // One that was said too late, inside of a block that has begun, counts for the blocks behind that.
        while (_rows.TryPeek(out var row) && (row <= start || row < length))
        {
            _rows.TryDequeue(out _);
            _rowStart = Math.Max(_rowStart, row);
        }

        var position = Math.Max(start, _rowStart);
        var whole = _rowStart + ((position - _rowStart) / PackFormat.BlockLength + 1) * PackFormat.BlockLength;
        var next = _rows.TryPeek(out var ahead) ? Math.Min(whole, ahead) : whole;
        return Math.Clamp(next, length, start + PackFormat.BlockLength);
    }

    // As many whole blocks as a segment has at most, with their names. Returns how many.
    private int Cut(ReadOnlyMemory<byte> bytes)
    {
        var (count, at) = (0, 0);
        while (count < _cut.Length && at < bytes.Length)
        {
            var length = (int)(NextBoundary(_map.Length + at, _map.Length + at) - _map.Length - at);
            if (length > bytes.Length - at)
                break;

            var block = bytes.Span.Slice(at, length);
            (_cut[count], _names[count]) = (length, block.ContainsAnyExcept((byte)0) ? BlockName.Of(block) : default);
            count++;
            at += length;
        }

        return count;
    }

    private async ValueTask<ReadOnlyMemory<byte>> AddBlocksAsync(ReadOnlyMemory<byte> bytes, int count)
    {
        await _engine.Index.MeetAsync(_names.AsSpan(0, count));
        for (var i = 0; i < count; i++)
        {
            await AddBlockAsync(_names[i], bytes[.._cut[i]]);
            bytes = bytes[_cut[i]..];
        }

        return bytes;
    }

    // What is no whole block waits for the rest of it.
    private async ValueTask<ReadOnlyMemory<byte>> CarryAsync(ReadOnlyMemory<byte> bytes)
    {
        var wanted = (int)(NextBoundary(_map.Length, Length) - Length);
        var taken = bytes[..Math.Min(bytes.Length, wanted)];
        taken.CopyTo(_carry.AsMemory(_carried));
        _carried += taken.Length;
        if (taken.Length == wanted)
            await AddCarryAsync();

        return bytes[taken.Length..];
    }

    private async ValueTask AddCarryAsync()
    {
        var block = _carry.AsMemory(0, _carried);
        _carried = 0;
        await AddBlockAsync(block);
    }

    private async ValueTask AddBlockAsync(ReadOnlyMemory<byte> block)
    {
        var name = block.Span.ContainsAnyExcept((byte)0) ? BlockName.Of(block.Span) : default;
        await _engine.Index.MeetAsync([name]);
        await AddBlockAsync(name, block);
    }

    /// <param name="name">That of nothing stands for zeros.</param>
    private ValueTask AddBlockAsync(in BlockName name, ReadOnlyMemory<byte> block)
    {
        if (name == default)
        {
            if (!MayBeApart)
                return AddNewBlockAsync(BlockName.Of(block.Span), block);

            _map.Add(new MapExtent(block.Length, MapExtent.Zero, 0));
            return AfterBlockAsync();
        }

        return TryAddKnown(name, block.Length) ? AfterBlockAsync() : AddNewBlockAsync(name, block);
    }

    /// <returns>False where the store does not have the block, or the map is in too many pieces to refer to it.</returns>
    private bool TryAddKnown(in BlockName name, int length)
    {
        if (!MayBeApart || FindPlace(name) is not { } place)
            return false;

        _map.Add(new MapExtent(length, place.Pack, place.Offset));
        return true;
    }

    private BlockPlace? FindPlace(in BlockName name)
    {
        if (_pack?.Find(name) is { } own)
            return own;

        foreach (var pack in _sealing)
        {
            if (pack.Find(name) is { } found)
                return found;
        }

        return _engine.Index.Find(name);
    }

    private async ValueTask AddNewBlockAsync(BlockName name, ReadOnlyMemory<byte> block)
    {
        _pack ??= await OwnPack.BeginAsync(_engine, _key, _spare.TryPop(out var spare) ? spare : []);
        _segment ??= new SegmentBuilder(_pack.PlainLength, _map.Length);
        var offset = _segment.Add(name, block.Span);
        _pack.Add(name, offset, block.Length);
        _map.Add(new MapExtent(block.Length, _pack.Number, offset));
        await AfterBlockAsync();
    }

    private ValueTask AfterBlockAsync()
    {
        if (_segment is { } segment)
            return segment.IsFull || _map.Length - segment.ContentStart >= MostUnlogged ? EndSegmentAsync() : ValueTask.CompletedTask;

        if (_map.Length - _loggedTo >= MostUnlogged)
            Enqueue(LogNext());

        return ValueTask.CompletedTask;
    }
}
