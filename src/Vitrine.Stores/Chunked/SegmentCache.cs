using System.Buffers;

namespace Vitrine.Stores.Chunked;

/// <summary>What segments mean, of those that were read not long ago. Several that want one at once load it once.</summary>
/// <param name="budget">How many bytes it may hold, beyond those that are being read.</param>
/// <param name="longestRun">So many stored bytes are read in one go, at most.</param>
internal sealed class SegmentCache(PackRegistry packs, long budget, int longestRun)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(int Pack, int Index), LinkedListNode<Entry>> _byKey = [];
    private readonly LinkedList<Entry> _recent = new();
    private long _held;

    /// <param name="ahead">How many of the segments behind it are wanted soon.</param>
    /// <returns>To be disposed when it has been read.</returns>
    /// <exception cref="StoreDamagedException">The segment does not have the bytes that were written.</exception>
    public async ValueTask<SegmentLease> GetAsync(int pack, IReadOnlyList<SegmentEntry> segments, int index, int ahead)
    {
        while (true)
        {
            var plain = await FindOrLoad(pack, segments, index, ahead);
            if (plain.TryTake())
                return new SegmentLease(plain);
        }
    }

    /// <summary>How many bytes it may hold.</summary>
    public long Budget => budget;

    /// <summary>Whether a segment is there, or on its way.</summary>
    public bool Has(int pack, int index)
    {
        lock (_lock)
            return _byKey.ContainsKey((pack, index));
    }

    /// <summary>Begins to load what of a run is not there, and waits for nothing.</summary>
    public void Prefetch(SegmentRun run)
    {
        lock (_lock)
        {
            for (var i = run.First; i <= run.Last; i++)
            {
                if (!_byKey.ContainsKey((run.Pack, i)))
                    BeginLoading(run.Pack, run.Segments, i, run.Last - i);
            }
        }
    }

    private Task<PlainSegment> FindOrLoad(int pack, IReadOnlyList<SegmentEntry> segments, int index, int ahead)
    {
        lock (_lock)
        {
            if (!_byKey.TryGetValue((pack, index), out var node))
            {
                BeginLoading(pack, segments, index, ahead);
                return _byKey[(pack, index)].Value.Loaded.Task;
            }

            _recent.Remove(node);
            _recent.AddFirst(node);
            return node.Value.Loaded.Task;
        }
    }

    private void BeginLoading(int pack, IReadOnlyList<SegmentEntry> segments, int index, int ahead)
    {
        var run = new List<Entry>();
        for (var i = index; i < segments.Count && i <= index + ahead; i++)
        {
            if (_byKey.ContainsKey((pack, i)) || (i > index && segments[i].End - segments[index].Offset > longestRun))
                break;

            var entry = new Entry(pack, i, segments[i]);
            run.Add(entry);
            _byKey.Add((pack, i), _recent.AddFirst(entry));
            _held += entry.Segment.PlainLength;
        }

        Trim();
        _ = Task.Run(() => LoadAsync(pack, run));
    }

    private async Task LoadAsync(int pack, List<Entry> run)
    {
        var start = run[0].Segment.Offset;
        byte[] stored = [];
        try
        {
            stored = ArrayPool<byte>.Shared.Rent((int)(run[^1].Segment.End - start));
            await packs.ReadStoredAsync(pack, start, stored.AsMemory(0, (int)(run[^1].Segment.End - start)), CancellationToken.None);

            // The first is waited for; the others are unfolded on other processors meanwhile.
            var others = Task.WhenAll(run.Skip(1).Select(entry => Task.Run(() => Unfold(pack, entry, stored, start))));
            try
            {
                Unfold(pack, run[0], stored, start);
            }
            finally
            {
                await others;
            }
        }
        catch (Exception failure)
        {
            foreach (var entry in run)
                Fail(entry, failure);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    private void Unfold(int pack, Entry entry, byte[] stored, uint start)
    {
        var bytes = stored.AsSpan((int)(entry.Segment.Offset - start), entry.Segment.StoredLength);
        var plain = new PlainSegment(entry.Segment.PlainLength);
        try
        {
            if (Checksum32.Of(bytes) != entry.Segment.Checksum)
                throw packs.Damaged(packs[pack]);

            SegmentCodec.Unfold(entry.Segment.Coding, bytes, plain.Buffer);
            entry.Plain = plain;
            entry.Loaded.TrySetResult(plain);
        }
        catch (InvalidDataException damage)
        {
            plain.Release();
            Fail(entry, packs.Damaged(packs[pack], damage));
        }
        catch (StoreDamagedException damage)
        {
            plain.Release();
            Fail(entry, damage);
        }
    }

    private void Fail(Entry entry, Exception failure)
    {
        if (!entry.Loaded.TrySetException(failure))
            return;

        _ = entry.Loaded.Task.Exception; // is looked at, by whoever waits or by nobody
        lock (_lock)
        {
            if (_byKey.TryGetValue((entry.Pack, entry.Index), out var node) && node.Value == entry)
                Remove(node);
        }
    }

    private void Trim()
    {
        for (var node = _recent.Last; node is not null && _held > budget;)
        {
            var before = node.Previous;
            if (node.Value.Plain is { } plain)
            {
                Remove(node);
                plain.Release();
            }

            node = before;
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _byKey.Remove((node.Value.Pack, node.Value.Index));
        _recent.Remove(node);
        _held -= node.Value.Segment.PlainLength;
    }

    private sealed record Entry(int Pack, int Index, SegmentEntry Segment)
    {
        private volatile PlainSegment? _plain;

        /// <summary>Null until it is loaded.</summary>
        public PlainSegment? Plain
        {
            get => _plain;
            set => _plain = value;
        }

        public TaskCompletionSource<PlainSegment> Loaded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A pooled buffer, given back when the cache and all readers have let go of it.</summary>
internal sealed class PlainSegment(int length)
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(length);
    private int _holders = 1;

    public Span<byte> Buffer => _buffer.AsSpan(0, length);

    /// <returns>False where it was given back meanwhile.</returns>
    public bool TryTake()
    {
        while (true)
        {
            var holders = Volatile.Read(ref _holders);
            if (holders == 0)
                return false;
            if (Interlocked.CompareExchange(ref _holders, holders + 1, holders) == holders)
                return true;
        }
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
            ArrayPool<byte>.Shared.Return(_buffer);
    }
}

/// <summary>A segment's bytes, for as long as they are read.</summary>
internal readonly struct SegmentLease(PlainSegment segment) : IDisposable
{
    public ReadOnlySpan<byte> Plain => segment.Buffer;

    public void Dispose() => segment.Release();
}
