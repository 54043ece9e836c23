namespace Vitrine.Stores.Chunked;

/// <content>From new blocks to segments, packs and the log, which are written in their order beside the caller.</content>
internal sealed partial class ChunkedWriter
{
    private async ValueTask EndSegmentAsync()
    {
        if (_segment is not { } segment || _pack is not { } pack)
            return;

        _segment = null;
        await _slots.WaitAsync();
        await AppendAsync(pack, Task.Run(() => segment.Pack(_engine.Options.CompressionLevel)));
    }

    // With a slot taken. All blocks of the segment are in the map.
    private async ValueTask AppendAsync(OwnPack pack, Task<PackedSegment> packed)
    {
        _tail = AppendAfterAsync(_tail, pack, packed, LogNext());
        if (pack.Pack.StoredLength >= OpenPack.FullLength || pack.PlainLength >= OpenPack.MostPlain)
            await EndPackAsync();
    }

    private async ValueTask SealBeyondFlushingAsync()
    {
        if (_pack is not { Pack.IsBeyondFlushing: true } pack)
            return;

        await EndSegmentAsync();
        if (_pack == pack)
            await EndPackAsync();

        await _tail;
    }

    // One is sealed at a time, since each holds memory meanwhile.
    private async ValueTask EndPackAsync()
    {
        await Task.WhenAll(_sealing.Select(s => s.Sealed));
        BeginSealing();
    }

    private async Task AppendAfterAsync(Task earlier, OwnPack pack, Task<PackedSegment> packed, Func<Task> log)
    {
        try
        {
            await earlier;
            using (var segment = await packed)
                await pack.Pack.AppendAsync(segment.Frame, segment.Entry, segment.Blocks);

            await log();
        }
        finally
        {
            _slots.Release();
        }
    }

    // What the map has got since the last record. It is decided now, and written when its turn comes.
    private Func<Task> LogNext()
    {
        var (start, extents) = (_loggedTo, _map.Slice(_loggedTo, _map.Length));
        _loggedTo = _restLoggedTo = _map.Length;
        return () => _log.AppendExtentsAsync(start, extents);
    }

    // The same for what is in no segment yet, for the time being.
    private void LogRest()
    {
        var start = _restLoggedTo;
        foreach (var part in _map.Slice(start, _map.Length).SelectMany(SplitAtSegment))
        {
            var from = start;
            if (_segment is { } segment && part.Pack == _pack?.Number && part.Offset >= segment.PlainStart)
            {
                var bytes = segment.Plain[(int)(part.Offset - segment.PlainStart)..][..(int)part.Length].ToArray();
                Enqueue(() => _log.AppendBytesAsync(from, bytes));
            }
            else
            {
                Enqueue(() => _log.AppendExtentsAsync(from, [part]));
            }

            start += part.Length;
        }

        if (Length > start)
        {
            var carried = _carry[(int)(start - _map.Length).._carried];
            Enqueue(() => _log.AppendBytesAsync(start, carried));
        }

        _restLoggedTo = Length;
    }

    // What goes on from the last segment into the one that is not ended is two things here.
    private IEnumerable<MapExtent> SplitAtSegment(MapExtent extent)
    {
        var before = _segment is { } segment && extent.Pack == _pack?.Number ? segment.PlainStart - (long)extent.Offset : 0;
        return before > 0 && before < extent.Length ? [extent.Take(before), extent.Skip(before)] : [extent];
    }

    private void Enqueue(Func<Task> step)
    {
        _tail = AfterAsync(_tail);

        async Task AfterAsync(Task earlier)
        {
            await earlier;
            await step();
        }
    }

    private void BeginSealing()
    {
        var pack = _pack!;
        _pack = null;
        var bySealed = _sealing.ToLookup(s => s.Sealed.IsCompletedSuccessfully);
        foreach (var over in bySealed[true])
        {
            over.Offsets.Clear();
            _spare.Push(over.Offsets);
        }

        _sealing = [.. bySealed[false], pack];
        pack.Sealed = SealAfterAsync(Task.WhenAll(_tail, _flushing), pack);
    }

    private static async Task SealAfterAsync(Task earlier, OwnPack pack)
    {
        await earlier;
        await pack.SealAsync();
    }

    private async Task SealPacksAsync()
    {
        if (_pack is not null)
            BeginSealing();

        await _tail;
        await Task.WhenAll(_sealing.Select(s => s.Sealed));
    }
}
