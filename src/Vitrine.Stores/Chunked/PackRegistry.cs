using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>The packs that this process has met, by a number that is shorter than their id.</summary>
/// <remarks>Numbers are of this process alone and never used again; in the store packs are named by their ids.</remarks>
internal sealed class PackRegistry(string store, IObjectStore objects)
{
    private const int MostTables = 2048;

    // The foot of a pack and the table before it, of all but the longest.
    private const int EndLength = 32 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, int> _numbers = [];
    private readonly List<Pack> _packs = [];
    private readonly Recent<int, IReadOnlyList<SegmentEntry>> _tables = new(MostTables);

    /// <summary>The signs of packs under a prefix, by the packs' numbers.</summary>
    public async Task<Dictionary<int, ObjectFacts>> ListSignsAsync(string prefix, CancellationToken cancellationToken)
    {
        var signs = new Dictionary<int, ObjectFacts>();
        await foreach (var sign in objects.ListAsync(prefix, cancellationToken))
        {
            if (StoreLayout.IdOf(sign.Name) is { } id)
                signs[NumberOf(id)] = sign;
        }

        return signs;
    }

    public int NumberOf(Guid id)
    {
        lock (_lock)
        {
            if (_numbers.TryGetValue(id, out var known))
                return known;

            _packs.Add(new Pack(id));
            return _numbers[id] = _packs.Count - 1;
        }
    }

    public Pack this[int number]
    {
        get
        {
            lock (_lock)
                return _packs[number];
        }
    }

    /// <summary>The segments of a pack, in order.</summary>
    /// <exception cref="StoreDamagedException">The pack is not there, or is not what was written.</exception>
    public ValueTask<IReadOnlyList<SegmentEntry>> SegmentsAsync(int number) => this[number].Open is { } open
        ? ValueTask.FromResult(open.Segments)
        : new ValueTask<IReadOnlyList<SegmentEntry>>(_tables.GetAsync(number, LoadSegmentsAsync));

    /// <summary>Has tables read from the store again.</summary>
    public void ForgetTables() => _tables.Clear();

    /// <summary>The blocks of a sealed pack, in order.</summary>
    /// <exception cref="StoreDamagedException">The pack is not there, or is not what was written.</exception>
    public async Task<PackedBlock[]> LoadBlocksAsync(int number, CancellationToken cancellationToken)
    {
        var pack = this[number];
        var (foot, _) = await LoadEndAsync(pack, PackFormat.FootLength, cancellationToken);
        var bytes = await ReadAsync(pack, foot.BlocksOffset, foot.BlocksLength, cancellationToken);
        return PackFormat.ReadBlocks(bytes, foot) ?? throw Damaged(pack);
    }

    /// <summary>Fills the buffer with a pack's bytes as they are stored.</summary>
    /// <exception cref="StoreDamagedException">The pack is not there, or ends before.</exception>
    public async ValueTask ReadStoredAsync(int number, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var pack = this[number];
        try
        {
            var read = pack.Open is { } open
                ? await open.ReadAsync(offset, buffer, cancellationToken)
                : await objects.ReadAsync(pack.Name, offset, buffer, cancellationToken);
            if (read != buffer.Length)
                throw Damaged(pack);
        }
        catch (ObjectMissingException missing)
        {
            throw Damaged(pack, missing);
        }
        catch (InvalidOperationException) when (pack.Open is null)
        {
            // It was sealed while it was read, and is an object now.
            await ReadStoredAsync(number, offset, buffer, cancellationToken);
        }
    }

    public StoreDamagedException Damaged(Pack pack, Exception? inner = null) => new(store, $"the pack {pack.Id:N}", inner);

    private async Task<IReadOnlyList<SegmentEntry>> LoadSegmentsAsync(int number)
    {
        var pack = this[number];
        var (foot, end) = await LoadEndAsync(pack, EndLength, CancellationToken.None);
        var before = end.Length - PackFormat.FootLength - foot.SegmentsLength;
        var bytes = before >= 0
            ? end.AsMemory((int)before, (int)foot.SegmentsLength)
            : await ReadAsync(pack, foot.SegmentsOffset, foot.SegmentsLength, CancellationToken.None);
        return PackFormat.ReadSegments(bytes.Span, foot) ?? throw Damaged(pack);
    }

    // The last bytes of the pack, the foot among them.
    private async Task<(PackFoot Foot, byte[] Bytes)> LoadEndAsync(Pack pack, int length, CancellationToken cancellationToken)
    {
        var found = await objects.FindAsync(pack.Name, cancellationToken) ?? throw Damaged(pack);
        if (found.Length < PackFormat.HeadLength + PackFormat.FootLength)
            throw Damaged(pack);

        var wanted = Math.Min(length, found.Length);
        var end = await ReadAsync(pack, found.Length - wanted, wanted, cancellationToken);
        return (PackFormat.ReadFoot(end.AsSpan()[^PackFormat.FootLength..], found.Length) ?? throw Damaged(pack), end);
    }

    private async Task<byte[]> ReadAsync(Pack pack, long offset, long length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        try
        {
            return await objects.ReadAsync(pack.Name, offset, bytes, cancellationToken) == length ? bytes : throw Damaged(pack);
        }
        catch (ObjectMissingException missing)
        {
            throw Damaged(pack, missing);
        }
    }
}

/// <summary>A pack that this process has met.</summary>
internal sealed class Pack(Guid id)
{
    private volatile OpenPack? _open;

    public Guid Id { get; } = id;

    /// <summary>Of the object that it is when it is sealed.</summary>
    public string Name { get; } = StoreLayout.PackName(id);

    /// <summary>Where a writer of this process still adds to it; null where it is sealed.</summary>
    public OpenPack? Open
    {
        get => _open;
        set => _open = value;
    }
}
