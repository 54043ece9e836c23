namespace Vitrine.Stores.Chunked;

/// <summary>Where each block is that sealed packs have: 32 bytes of memory for each, in tables that are 68 to 85 % full.</summary>
/// <remarks>It says nothing that the packs do not say, and is made from them. Any number of callers at once.</remarks>
internal sealed class BlockIndex
{
    private const int ShardBits = 6;
    private const int FirstCapacity = 256;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, 1 << ShardBits).Select(_ => new Shard())];

    public BlockPlace? Find(in BlockName name) => ShardOf(name).Find(name);

    /// <summary>Says where a block is. Where one of its name is known in a pack that is still of use, that place stays.</summary>
    public void Add(in BlockName name, BlockPlace place) => ShardOf(name).Add(name, place);

    /// <summary>Forgets all blocks of some packs.</summary>
    public void Remove(IReadOnlySet<int> packs)
    {
        foreach (var shard in _shards)
            shard.Remove(packs);
    }

    // Its first bits choose the shard, others the slot in it.
    private Shard ShardOf(in BlockName name) => _shards[name.First >> (64 - ShardBits)];

    private sealed class Shard
    {
        private readonly Lock _lock = new();
        private Slot[] _slots = new Slot[FirstCapacity];
        private int _count;

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
                if ((_count + 1) * 100L > _slots.Length * 85L)
                    Rebuild(_slots.Length + _slots.Length / 4, static _ => true);

                ref var slot = ref SlotOf(_slots, name);
                if (slot.IsTaken)
                    return;

                slot = new Slot(name, place);
                _count++;
            }
        }

        public void Remove(IReadOnlySet<int> packs)
        {
            lock (_lock)
                Rebuild(_slots.Length, slot => !packs.Contains(slot.Place.Pack));
        }

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
