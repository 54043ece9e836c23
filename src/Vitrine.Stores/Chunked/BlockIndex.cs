namespace Vitrine.Stores.Chunked;

/// <summary>Where the blocks are that sealed packs have.</summary>
/// <remarks>
/// It says nothing that the packs do not say, and is made from them. While they fit into the budget all blocks are in it, 32 bytes for each, in tables that are
/// 68 to 85 % full. Beyond, it has one in 2, 4, 8 … of them, chosen by their names; each that comes again tells a pack whose other blocks are likely to come, too, and
/// those are looked up in the packs that were met last. Blocks that lie alone are missed then, and kept twice. Any number of callers at once.
/// </remarks>
/// <param name="budget">Of its tables, in bytes.</param>
/// <param name="load">Reads the blocks of a pack, in order; throws <see cref="StoreDamagedException"/> where it cannot.</param>
internal sealed class BlockIndex(long budget, Func<int, Task<PackedBlock[]>> load)
{
    private const int ShardBits = 6;
    private const int FirstCapacity = 256;
    private const int MostSampling = 1 << 16;

    // Of packs that are held open, and of their blocks, of some 50 bytes each; so many packs are opened for the names that come at once.
    private const int MostOpened = 16;
    private const int MostOpenedBlocks = 512 * 1024;
    private const int MostAtOnce = 4;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, 1 << ShardBits).Select(_ => new Shard())];
    private readonly Lock _lock = new();
    private readonly HashSet<int> _packs = [];
    private volatile OpenedPack[] _opened = [];
    private volatile int _left = 1;

    /// <summary>One in how many blocks is known without a look at its pack: a power of two.</summary>
    public int Sampling => _left;

    /// <summary>Where a block is; null also for one that is not known as long as nobody has said that it is met.</summary>
    public BlockPlace? Find(in BlockName name)
    {
        if (IsSampled(name))
            return ShardOf(name).Find(name);

        foreach (var pack in _opened)
        {
            if (pack.Find(name) is { } place)
                return place;
        }

        return null;
    }

    /// <summary>Says which blocks come next, so that those can be found which lie beside each other in a pack.</summary>
    public ValueTask MeetAsync(ReadOnlySpan<BlockName> names)
    {
        if (_left == 1)
            return ValueTask.CompletedTask;

        var met = new Dictionary<int, int>();
        foreach (ref readonly var name in names)
        {
            if (IsSampled(name) && ShardOf(name).Find(name) is { } place)
                met[place.Pack] = met.GetValueOrDefault(place.Pack) + 1;
        }

        foreach (var opened in _opened)
            met.Remove(opened.Number);

        return met.Count == 0 ? ValueTask.CompletedTask : OpenAsync([.. met.OrderByDescending(m => m.Value).Take(MostAtOnce).Select(m => m.Key)]);
    }

    /// <summary>Says how many blocks are about to be added at the least, so that what will not stay is not taken first.</summary>
    public void Expect(long blocks)
    {
        lock (_lock)
        {
            while (Shard.LeastBytesOf(_shards.Sum(s => (long)s.Count) + blocks / _left) > budget && _left < MostSampling)
                Thin();
        }
    }

    /// <summary>Says what a sealed pack has. Where a block is known in another pack, that place stays.</summary>
    public void Add(int pack, ReadOnlySpan<PackedBlock> blocks)
    {
        lock (_lock)
            _packs.Add(pack);

        var offset = 0u;
        foreach (ref readonly var block in blocks)
        {
            if (IsSampled(block.Name))
                ShardOf(block.Name).Add(block.Name, new BlockPlace(pack, offset));
            offset += block.Length;
        }

        lock (_lock)
        {
            while (_shards.Sum(s => s.Bytes) > budget && _left < MostSampling)
                Thin();
        }
    }

    /// <summary>Forgets all blocks of some packs.</summary>
    public void Remove(IReadOnlySet<int> packs)
    {
        lock (_lock)
        {
            _packs.ExceptWith(packs);
            _opened = [.. _opened.Where(o => !packs.Contains(o.Number))];
        }

        foreach (var shard in _shards)
            shard.Keep(slot => !packs.Contains(slot.Place.Pack));
    }

    private void Thin()
    {
        _left *= 2;
        foreach (var shard in _shards)
            shard.Keep(slot => IsSampled(slot.Name));
    }

    private bool IsSampled(in BlockName name) => (name.Third & (ulong)(_left - 1)) == 0;

    // Its first bits choose the shard, others the slot in it, others again whether it is kept at all.
    private Shard ShardOf(in BlockName name) => _shards[name.First >> (64 - ShardBits)];

    private async ValueTask OpenAsync(int[] packs)
    {
        foreach (var pack in packs)
        {
            try
            {
                var opened = new OpenedPack(pack, await load(pack));
                lock (_lock)
                {
                    // It may have been condemned meanwhile, or opened by another.
                    if (_packs.Contains(pack) && !_opened.Any(o => o.Number == pack))
                        _opened = [opened, .. KeptBeside(opened)];
                }
            }
            catch (StoreDamagedException)
            {
                // Nothing new refers to what cannot be read.
            }
        }
    }

    private IEnumerable<OpenedPack> KeptBeside(OpenedPack opened)
    {
        var blocks = opened.Blocks;
        return _opened.Take(MostOpened - 1).TakeWhile(o => (blocks += o.Blocks) <= MostOpenedBlocks);
    }

    /// <summary>A pack of which every block is known.</summary>
    private sealed class OpenedPack
    {
        private readonly Dictionary<BlockName, uint> _offsets;

        public OpenedPack(int number, PackedBlock[] blocks)
        {
            (Number, _offsets) = (number, new Dictionary<BlockName, uint>(blocks.Length));
            var offset = 0u;
            foreach (var block in blocks)
            {
                _offsets.TryAdd(block.Name, offset);
                offset += block.Length;
            }
        }

        public int Number { get; }

        public int Blocks => _offsets.Count;

        public BlockPlace? Find(in BlockName name) => _offsets.TryGetValue(name, out var offset) ? new BlockPlace(Number, offset) : null;
    }

    private sealed class Shard
    {
        private const int SlotLength = 32;
        private const int MostPercent = 85;

        private readonly Lock _lock = new();
        private Slot[] _slots = new Slot[FirstCapacity];
        private int _count;

        public int Count => _count;

        public long Bytes => (long)_slots.Length * SlotLength;

        public static long LeastBytesOf(long count) => count * SlotLength * 100 / MostPercent;

        public BlockPlace? Find(in BlockName name)
        {
            lock (_lock)
            {
                ref var slot = ref SlotOf(_slots, name);
                return slot.IsTaken ? slot.Place : null;
            }
        }

        public void Add(in BlockName name, BlockPlace place)
        {
            lock (_lock)
            {
                if (IsFull(_count + 1, _slots.Length))
                    Rebuild(_slots.Length + _slots.Length / 4, static _ => true);

                ref var slot = ref SlotOf(_slots, name);
                if (slot.IsTaken)
                    return;

                slot = new Slot(name, place);
                _count++;
            }
        }

        public void Keep(Func<Slot, bool> stays)
        {
            lock (_lock)
            {
                var count = _slots.Count(s => s.IsTaken && stays(s));
                var capacity = FirstCapacity;
                while (IsFull(count + 1, capacity))
                    capacity += capacity / 4;

                Rebuild(capacity, stays);
            }
        }

        private static bool IsFull(int count, int capacity) => count * 100L > capacity * (long)MostPercent;

        private void Rebuild(int capacity, Func<Slot, bool> stays)
        {
            var slots = new Slot[capacity];
            _count = 0;
            foreach (var slot in _slots)
            {
                if (!slot.IsTaken || !stays(slot))
                    continue;

                SlotOf(slots, slot.Name) = slot;
                _count++;
            }

            _slots = slots;
        }

        // Where the name is, or where it would be put: the names are as good as random already.
        private static ref Slot SlotOf(Slot[] slots, in BlockName name)
        {
            var at = (int)((name.Second >> 32) * (ulong)slots.Length >> 32);
            while (slots[at].IsTaken && slots[at].Name != name)
                at = at + 1 == slots.Length ? 0 : at + 1;

            return ref slots[at];
        }
    }

    // The pack's number is kept plus one, so that a slot of zeros is a free one.
    private readonly struct Slot(BlockName name, BlockPlace place)
    {
        private readonly int _pack = place.Pack + 1;
        private readonly uint _offset = place.Offset;

        public BlockName Name { get; } = name;

        public bool IsTaken => _pack != 0;

        public BlockPlace Place => new(_pack - 1, _offset);
    }
}
