using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Vitrine.Content;

namespace Vitrine.Stores.Chunked;

/// <summary>A content, put together from the packs that have its blocks.</summary>
/// <remarks>
/// A collection on another node knows nothing of this reader, and may empty packs that its map refers to; the content has another map then, with
/// which the reader goes on. Only content that was deleted is given up to that node's collection, after the grace time.
/// </remarks>
internal sealed class ChunkedReader(Digest digest, ContentRecord record, ContentMap map, ChunkedEngine engine) : ContentReader
{
    // All that were read with, since some read may still be under way with each.
    private readonly ConcurrentStack<Layout> _layouts = new([new Layout(record.Map, map, engine)]);

    // Where the last read ended: whoever reads on from there is likely to go on.
    private long _next;

    public override long Length => map.Length;

    /// <summary>Of the store that the content is read from.</summary>
    public ChunkedEngine Engine => engine;

    public ContentMap Map => Current.Map;

    private Layout Current => _layouts.TryPeek(out var current) ? current : throw new ObjectDisposedException(nameof(ChunkedReader));

    // Frames are made in memory of each reader's own: where there are too many readers for that, they get the bytes.
    public override IAsyncEnumerable<ReadOnlyMemory<byte>>? ZstdFrames => engine.Extents.IsCrowded ? null : ReadZstdAsync();

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var isSequential = Interlocked.Exchange(ref _next, offset + buffer.Length) == offset;
        while (true)
        {
            var layout = Current;
            try
            {
                return await ReadAsync(layout, offset, buffer, isSequential);
            }
            catch (StoreDamagedException)
            {
                if (!await HasMovedAsync(layout))
                    throw;
            }
        }
    }

    public override ValueTask DisposeAsync()
    {
        while (_layouts.TryPop(out var layout))
            layout.Dispose();

        return ValueTask.CompletedTask;
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadZstdAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Length == 0)
            yield return PlainFrames.Empty;

        Layout layout;
        var offset = 0L;
        do
        {
            layout = Current;
            await using var parts = new ContentFrames(layout.Map, engine.Extents).FromAsync(offset, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await MoveNextAsync(parts, layout))
            {
                using var frames = parts.Current;
                foreach (var piece in frames.Pieces)
                    yield return piece;

                offset += frames.Length;
            }
        }
        while (layout != Current);
    }

    /// <returns>False at the end, and where the content lies elsewhere now.</returns>
    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<MadeFrames> parts, Layout layout)
    {
        try
        {
            return await parts.MoveNextAsync();
        }
        catch (StoreDamagedException)
        {
            if (!await HasMovedAsync(layout))
                throw;

            return false;
        }
    }

    private async ValueTask<int> ReadAsync(Layout layout, long offset, Memory<byte> buffer, bool isSequential)
    {
        if (isSequential)
            layout.Ahead.GoOn(offset);

        var count = 0;
        while (count < buffer.Length && offset + count < map.Length)
            count += await engine.Extents.ReadAsync(layout.Map.At(offset + count), buffer[count..], isSequential: false);

        return count;
    }

    // Whether the content lies elsewhere than it did.
    private async ValueTask<bool> HasMovedAsync(Layout layout)
    {
        if (layout != Current)
            return true;
        if (await engine.FindRecordAsync(digest, CancellationToken.None) is not { } found || found.Map == layout.Id)
            return false;

        _layouts.Push(new Layout(found.Map, await engine.LoadMapAsync(found), engine));
        return true;
    }

    private sealed class Layout(Guid id, ContentMap map, ChunkedEngine engine) : IDisposable
    {
        private readonly IDisposable _pin = engine.Pinned.Pin(map);

        public Guid Id => id;

        public ContentMap Map => map;

        public ReadAhead Ahead { get; } = new(map, engine.Extents);

        public void Dispose()
        {
            Ahead.Dispose();
            _pin.Dispose();
        }
    }
}
