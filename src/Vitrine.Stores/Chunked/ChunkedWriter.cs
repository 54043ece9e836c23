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
    private readonly int[] _cut = new int[PackFormat.MostBlocks];
    private readonly BlockName[] _names = new BlockName[PackFormat.MostBlocks];
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

    // A map that is in pieces already is not torn further, neither by what is elsewhere nor by zeros.
    private bool MayBeApart => _map.Count < MostPieces;

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
                bytes = _carried == 0 && Cut(bytes) is > 0 and var count ? await AddBlocksAsync(bytes, count) : await CarryAsync(bytes);
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
        await RefreshAsync(PacksAge, cancellationToken);
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
            (_likely, _compared) = (null, 0);
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
    private async Task RefreshAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        try
        {
            await _engine.Known.RefreshAsync(age, cancellationToken);
        }
        catch (StoreUnavailableException) when (_engine.Known.IsFresh(_engine.Options.CollectionGrace / 4))
        {
            // The next flush asks again.
        }
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

    private async Task PublishAsync(Digest digest, CancellationToken cancellationToken)
    {
        if (_carried > 0)
            await AddCarryAsync();

        await EndSegmentAsync();
        await SealPacksAsync();
        var map = _map.Build();
        await RefreshAsync(_isCopied ? TimeSpan.Zero : PacksAge, cancellationToken);
        if (!map.Extents.All(e => _engine.Known.IsSafe(e, _engine.Options.CollectionGrace)))
            throw new StoreUnavailableException(_engine.Name, "it is about to remove parts that this content has in common with others; they are written anew at the next attempt.");

        await _engine.PublishAsync(digest, map, cancellationToken);
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
