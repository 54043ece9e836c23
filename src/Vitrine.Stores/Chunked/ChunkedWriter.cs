using System.Collections.Concurrent;
using Vitrine.Content;

namespace Vitrine.Stores.Chunked;

/// <summary>Cuts what comes into blocks, and keeps those that the store does not have yet.</summary>
/// <remarks>
/// <code>
/// bytes ─ blocks ┬ zeros, known ones ────────────────────────────┐
///                └ new ones ─ segments ─ compressed ─► open pack ─┴► map, log
/// </code>
/// The caller's task cuts and looks up; segments are compressed beside it and appended in their order by <see cref="_tail"/>, behind which
/// every record of the log waits for what it refers to. What was flushed survives the power; flushes run beside all else, and a record that comes
/// to the store before what it refers to ends the log for the next writer. After a failure the writer takes nothing more until it is reset; the next writer of the
/// key goes on with what is sound.
/// </remarks>
internal sealed partial class ChunkedWriter : ContentWriter
{
    private const int MostInFlight = 6;

    // A flush ends a segment that is at least so long, and otherwise puts its bytes into the log.
    private const int WorthASegment = 64 * 1024;

    // So much content at most is in no record of the log.
    private const long MostUnlogged = 4 * 1024 * 1024;

    // Enough is left for one extent a pack, however long the content is.
    private const int MostPieces = ContentMap.MostExtents / 4 * 3;

    private static readonly TimeSpan PacksAge = TimeSpan.FromSeconds(30);

    private readonly ChunkedEngine _engine;
    private readonly StagingKey _key;
    private readonly IAsyncDisposable _lock;
    private readonly StagingLog _log;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly SemaphoreSlim _slots = new(MostInFlight);
    private readonly byte[] _carry = new byte[PackFormat.BlockLength];
    private readonly ConcurrentQueue<long> _rows = new();
    private readonly Stack<Dictionary<BlockName, uint>> _spare = new();

    private MapBuilder _map = new();
    private OwnPack? _pack;
    private SegmentBuilder? _segment;
    private List<OwnPack> _sealing = [];
    private Task _tail = Task.CompletedTask;
    private Task _flushing = Task.CompletedTask;
    private int _carried;
    private long _rowStart;
    private long _loggedTo;
    private long _restLoggedTo;
    private bool _isCommitted;
    private bool _isOver;

    private ChunkedWriter(ChunkedEngine engine, StagingKey key, IAsyncDisposable held, StagingLog log) =>
        (_engine, _key, _lock, _log) = (engine, key, held, log);

    public override long Length => _map.Length + _carried;

    /// <exception cref="WriterBusyException">Another writer of the key is open.</exception>
    public static async Task<ChunkedWriter> OpenAsync(ChunkedEngine engine, StagingKey key, CancellationToken cancellationToken)
    {
        var held = await engine.Objects.TryLockAsync(StoreLayout.LockName(key), cancellationToken) ?? throw new WriterBusyException(key);
        try
        {
            await engine.Known.RefreshAsync(PacksAge, cancellationToken);
            var log = new StagingLog(await engine.Objects.OpenAppenderAsync(StoreLayout.LogName(key), cancellationToken), engine.Packs);
            var writer = new ChunkedWriter(engine, key, held, log);
            await writer.OrAbandonAsync(writer.TakeOverAsync(cancellationToken));
            engine.Writers[key] = writer;
            return writer;
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    // Comes beside writes, which look at it when they get there.
    public override void BeginRow(long offset) => _rows.Enqueue(offset);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await ThrowIfFailedAsync();
            while (!bytes.IsEmpty)
            {
                var wanted = (int)(NextBoundary() - Length);
                if (_carried == 0 && bytes.Length >= wanted)
                {
                    await AddBlockAsync(bytes[..wanted]);
                    bytes = bytes[wanted..];
                    continue;
                }

                var taken = bytes[..Math.Min(bytes.Length, wanted)];
                taken.CopyTo(_carry.AsMemory(_carried));
                _carried += taken.Length;
                bytes = bytes[taken.Length..];
                if (taken.Length == wanted)
                    await AddCarryAsync();
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await _tail;
            await SealBeyondFlushingAsync();
            await Task.WhenAll(_sealing.Select(s => s.Sealed));
            var count = 0;
            while (count < buffer.Length && offset + count < Length)
                count += await ReadPartAsync(offset + count, buffer[count..]);

            return count;
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_isCommitted)
            return;

        await _gate.WaitAsync(cancellationToken);
        Task flushed;
        try
        {
            if (_segment is { Length: >= WorthASegment })
                await EndSegmentAsync();

            await _tail;
            await SealBeyondFlushingAsync();
            LogRest();
            await _tail;
            flushed = _flushing = FlushAsync(_flushing, [.. _sealing.Select(s => s.Sealed)], _pack?.Pack.FlushAsync() ?? Task.CompletedTask);
        }
        finally
        {
            _gate.Release();
        }

        await flushed;
        await RefreshAsync(cancellationToken);
    }

    public override async Task ResetAsync(CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await SettleAsync();
            await _log.ClearAsync();
            await DropPackAsync();
            (_map, _carried, _rowStart, _loggedTo, _restLoggedTo) = (new MapBuilder(), 0, 0, 0, 0);
            _rows.Clear();
            (_tail, _flushing) = (Task.CompletedTask, Task.CompletedTask);
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async Task CommitAsync(Digest digest, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await _tail;
            await _flushing;
            if (!await _engine.HasWholeAsync(digest, cancellationToken))
                await PublishAsync(digest, cancellationToken);

            _isCommitted = true;
            await DropPackAsync();
            await _log.DisposeAsync();
            await _engine.RemoveStagedAsync(_key, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_isOver)
            return;

        try
        {
            if (!_isCommitted)
                await FlushAsync(CancellationToken.None);
        }
        catch (LibraryException)
        {
            // The next writer goes on with what was flushed before.
            await TryCutToFlushedAsync();
        }
        finally
        {
            await AbandonAsync();
        }
    }

    private async Task TryCutToFlushedAsync()
    {
        await _tail.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _flushing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await _log.CutToFlushedAsync();
            if (_pack is { } pack)
                await pack.Pack.CutToFlushedAsync();
        }
        catch (LibraryException)
        {
            // The checksums tell the next writer what is sound.
        }
    }

    /// <summary>Ends without a word to the store, as the death of the process does.</summary>
    internal async Task AbandonAsync()
    {
        _isOver = true;
        _engine.Writers.TryRemove(_key, out _);
        await SettleAsync();
        if (_pack is { } pack)
            await pack.DisposeAsync();

        await _log.DisposeAsync();
        await _lock.DisposeAsync();
    }

    // What was flushed is flushed, whether or not the store can say just now what packs it has. It must be able to long before a sign takes effect.
    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _engine.Known.RefreshAsync(PacksAge, cancellationToken);
        }
        catch (StoreUnavailableException) when (_engine.Known.IsFresh(_engine.Options.CollectionGrace / 4))
        {
            // The next flush asks again.
        }
    }

    private long NextBoundary()
    {
        // One that was said too late, inside of a block that has begun, counts for the blocks behind that.
        while (_rows.TryPeek(out var row) && (row <= _map.Length || row < Length))
        {
            _rows.TryDequeue(out _);
            _rowStart = Math.Max(_rowStart, row);
        }

        var position = Math.Max(_map.Length, _rowStart);
        var whole = _rowStart + ((position - _rowStart) / PackFormat.BlockLength + 1) * PackFormat.BlockLength;
        var next = _rows.TryPeek(out var ahead) ? Math.Min(whole, ahead) : whole;
        return Math.Clamp(next, Length, _map.Length + PackFormat.BlockLength);
    }

    private async ValueTask AddCarryAsync()
    {
        var block = _carry.AsMemory(0, _carried);
        _carried = 0;
        await AddBlockAsync(block);
    }

    private ValueTask AddBlockAsync(ReadOnlyMemory<byte> block)
    {
        // A map that is in pieces already is not torn further, neither by what is elsewhere nor by zeros.
        var mayBeApart = _map.Count < MostPieces;
        if (mayBeApart && !block.Span.ContainsAnyExcept((byte)0))
        {
            _map.Add(new MapExtent(block.Length, MapExtent.Zero, 0));
            return AfterBlockAsync();
        }

        var name = BlockName.Of(block.Span);
        if (mayBeApart && FindPlace(name) is { } place)
        {
            _map.Add(new MapExtent(block.Length, place.Pack, place.Offset));
            return AfterBlockAsync();
        }

        return AddNewBlockAsync(name, block);
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

    private async ValueTask EndSegmentAsync()
    {
        if (_segment is not { } segment || _pack is not { } pack)
            return;

        _segment = null;
        await _slots.WaitAsync();
        var packed = Task.Run(() => segment.Pack(_engine.Options.CompressionLevel));
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

    // Of the log after what it refers to.
    private async Task FlushAsync(Task earlier, Task[] sealing, Task pack)
    {
        await earlier;
        await Task.WhenAll(sealing);
        await pack;
        await _log.FlushAsync();
    }

    // Throws what went wrong.
    private async ValueTask ThrowIfFailedAsync()
    {
        if (_tail is { IsCompleted: true, IsCompletedSuccessfully: false })
            await _tail;
        if (_flushing is { IsCompleted: true, IsCompletedSuccessfully: false })
            await _flushing;
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

    private async Task PublishAsync(Digest digest, CancellationToken cancellationToken)
    {
        if (_carried > 0)
            await AddCarryAsync();

        await EndSegmentAsync();
        await SealPacksAsync();
        var map = _map.Build();
        await RefreshAsync(cancellationToken);
        if (!map.Extents.All(e => _engine.Known.IsSafe(e, _engine.Options.CollectionGrace)))
            throw new StoreUnavailableException(_engine.Name, "it is about to remove parts that this content has in common with others; they are written anew at the next attempt.");

        await _engine.PublishAsync(digest, map, cancellationToken);
    }

    private async Task SealPacksAsync()
    {
        if (_pack is not null)
            BeginSealing();

        await _tail;
        await Task.WhenAll(_sealing.Select(s => s.Sealed));
    }

    private async Task SettleAsync()
    {
        await _tail.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _flushing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_sealing.Select(s => s.Sealed)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var pack in _sealing)
            await pack.DisposeAsync();

        _sealing = [];
        _segment?.Return();
        _segment = null;
    }

    private async Task DropPackAsync()
    {
        _segment?.Return();
        _segment = null;
        if (_pack is { } pack)
        {
            _pack = null;
            await pack.DisposeAsync();
            await _engine.Objects.DeleteAsync(StoreLayout.OpenPackName(_key, pack.Pack.Id), CancellationToken.None);
        }
    }

    private async ValueTask<int> ReadPartAsync(long offset, Memory<byte> buffer)
    {
        if (offset >= _map.Length)
        {
            var carried = _carry.AsMemory((int)(offset - _map.Length).._carried);
            var count = Math.Min(carried.Length, buffer.Length);
            carried[..count].CopyTo(buffer);
            return count;
        }

        var extent = _map.At(offset);
        if (_segment is { } segment && extent.Pack == _pack?.Number && extent.Offset >= segment.PlainStart)
        {
            var plain = segment.Plain[(int)(extent.Offset - segment.PlainStart)..];
            var count = (int)Math.Min(Math.Min(extent.Length, plain.Length), buffer.Length);
            plain[..count].CopyTo(buffer.Span);
            return count;
        }

        return await _engine.Extents.ReadAsync(extent, buffer, isSequential: true);
    }

    private void ThrowIfCommitted()
    {
        if (_isCommitted)
            throw new InvalidOperationException("The writer has committed; open another.");
    }
}
