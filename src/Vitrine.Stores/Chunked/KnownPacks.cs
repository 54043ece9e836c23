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
    private readonly Dictionary<int, (uint Length, DateTimeOffset Since)> _condemned = [];
    private long? _refreshed;

    /// <summary>Says that this process has sealed a pack.</summary>
    public void Add(int pack, ReadOnlySpan<PackedBlock> blocks)
    {
        var length = 0u;
        foreach (ref readonly var block in blocks)
            length += block.Length;

        lock (_lock)
        {
            if (!_known.TryAdd(pack, length))
                return;
        }

        index.Add(pack, blocks);
    }

    /// <summary>Whether a map may refer to these bytes: they are in a sealed pack that is not condemned.</summary>
    public bool IsOfUse(MapExtent extent)
    {
        lock (_lock)
            return extent.IsZero || (_known.TryGetValue(extent.Pack, out var length) && extent.Offset + extent.Length <= length);
    }

    /// <summary>Whether a map that refers to these bytes may be published: nobody will remove them before it is seen that it does.</summary>
    /// <param name="grace">How long a pack carries its sign at the least before it is removed.</param>
    public bool IsSafe(MapExtent extent, TimeSpan grace)
    {
        if (IsOfUse(extent))
            return true;

        lock (_lock)
        {
            return _condemned.TryGetValue(extent.Pack, out var pack) && extent.Offset + extent.Length <= pack.Length
                && time.GetUtcNow() - pack.Since < grace / 2;
        }
    }

    /// <summary>Whether packs were looked at not long ago.</summary>
    public bool IsFresh(TimeSpan age) => _refreshed is { } last && time.GetElapsedTime(last) < age;

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

        var (found, more) = (new HashSet<int>(), 0L);
        await foreach (var pack in objects.ListAsync(StoreLayout.PackPrefix, cancellationToken))
        {
            if (StoreLayout.IdOf(pack.Name) is { } id && packs.NumberOf(id) is var number && found.Add(number) && !before.Contains(number))
                more += pack.Length;
        }

        var condemned = await packs.ListSignsAsync(StoreLayout.CondemnedPrefix, cancellationToken);
        found.ExceptWith((await packs.ListSignsAsync(StoreLayout.DamagedPrefix, cancellationToken)).Keys);
        Condemn(condemned.Where(c => found.Contains(c.Key)).ToDictionary(c => c.Key, c => c.Value.LastWrite));
        found.ExceptWith(condemned.Keys);
        Forget([.. before.Except(found)]);
        index.Expect(more / PackFormat.BlockLength);
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

    // How long a pack is stays known of those that were of use until now: what refers to them already may go on to do so for a while.
    private void Condemn(Dictionary<int, DateTimeOffset> signs)
    {
        lock (_lock)
        {
            foreach (var pack in _condemned.Keys.Except(signs.Keys).ToList())
                _condemned.Remove(pack);

            foreach (var (pack, since) in signs)
            {
                if (_known.TryGetValue(pack, out var length))
                    _condemned[pack] = (length, since);
            }
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
}
