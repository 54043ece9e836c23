using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>Keeps the index of blocks in step with the packs that are in the store, whoever put them there.</summary>
/// <remarks>
/// A pack that is condemned is about to be collected: what it has may be read, but nothing new may refer to it. Its sign is an
/// object of its id under <c>condemned/</c>. Nor may anything new refer to a pack that a scrub found damaged, whose sign is under <c>damaged/</c>.
/// </remarks>
internal sealed class KnownPacks(PackRegistry packs, BlockIndex index, IObjectStore objects, TimeProvider time) : IDisposable
{
    private const int ManyAtOnce = 8;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly Lock _lock = new();
    private readonly Dictionary<int, uint> _known = [];
    private long? _refreshed;

    /// <summary>Says that this process has sealed a pack.</summary>
    public void Add(int pack, IReadOnlyList<PackedBlock> blocks)
    {
        lock (_lock)
        {
            if (!_known.TryAdd(pack, (uint)blocks.Sum(b => (long)b.Length)))
                return;
        }

        Index(pack, blocks);
    }

    /// <summary>Whether a map may refer to these bytes: they are in a sealed pack that is not condemned.</summary>
    public bool IsOfUse(MapExtent extent)
    {
        lock (_lock)
            return extent.IsZero || (_known.TryGetValue(extent.Pack, out var length) && extent.Offset + extent.Length <= length);
    }

    /// <summary>Looks what packs there are, unless that was done not long ago.</summary>
    public async Task RefreshAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_refreshed is { } last && time.GetElapsedTime(last) < age)
                return;

            var began = time.GetTimestamp();
            await RefreshAsync(cancellationToken);
            _refreshed = began;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        HashSet<int> before;
        lock (_lock)
            before = [.. _known.Keys];

        var found = new HashSet<int>();
        await foreach (var pack in objects.ListAsync(StoreLayout.PackPrefix, cancellationToken))
        {
            if (StoreLayout.IdOf(pack.Name) is { } id)
                found.Add(packs.NumberOf(id));
        }

        foreach (var signs in (string[])[StoreLayout.CondemnedPrefix, StoreLayout.DamagedPrefix])
            found.ExceptWith((await packs.ListSignsAsync(signs, cancellationToken)).Keys);

        Forget([.. before.Except(found)]);
        var options = new ParallelOptions { MaxDegreeOfParallelism = ManyAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(found.Except(before), options, async (pack, stop) => await LoadAsync(pack, stop));
    }

    private async Task LoadAsync(int pack, CancellationToken cancellationToken)
    {
        try
        {
            Add(pack, await packs.LoadBlocksAsync(pack, cancellationToken));
        }
        catch (StoreDamagedException)
        {
            // It may be gone already. A pack that cannot be read is not referred to; the scrub reports it.
        }
    }

    private void Forget(HashSet<int> gone)
    {
        if (gone.Count == 0)
            return;

        lock (_lock)
        {
            foreach (var pack in gone)
                _known.Remove(pack);
        }

        index.Remove(gone);
    }

    private void Index(int pack, IReadOnlyList<PackedBlock> blocks)
    {
        var offset = 0u;
        foreach (var block in blocks)
        {
            index.Add(block.Name, new BlockPlace(pack, offset));
            offset += block.Length;
        }
    }
}
