using Vitrine.Stores;

namespace Vitrine.Content;

/// <summary>Whether the sums of a pass are computed.</summary>
internal enum LaneSums
{
    /// <summary>It is not decided: what came waits for it.</summary>
    Held,

    /// <summary>They are computed of all that comes.</summary>
    On,

    /// <summary>They are known, if what comes goes on as it began.</summary>
    Spared,

    /// <summary>They are needed after all, of what has come, too.</summary>
    Owed,
}

/// <summary>The lanes of one pass, from the first byte to the last.</summary>
internal sealed class IngestLanes : IAsyncDisposable
{
    // A source that gives little at a time fills few of its buffers, and each of them is held whole.
    private const int MostHeld = 8;

    private readonly List<RunningDigest> _digests = [];
    private readonly List<IngestLane> _sums = [];
    private readonly List<IngestBlock> _held = [];
    private readonly FormatInspection _inspection;
    private readonly IngestLane _inspector;
    private readonly IngestLane _store;

    /// <param name="isHolding">Whether it is to be decided later if sums are computed.</param>
    public IngestLanes(ContentWriter writer, IFormatInspector inspector, IReadOnlyCollection<ChecksumAlgorithm> sums, bool isHolding)
    {
        Sums = isHolding ? LaneSums.Held : LaneSums.On;
        _inspection = inspector.Begin();
        foreach (var algorithm in sums.Append(ChecksumAlgorithm.Sha256).Distinct())
            AddSum(new RunningDigest(algorithm));
        _store = new IngestLane(bytes => writer.WriteAsync(bytes, CancellationToken.None), TaskScheduler.Default);
        _inspector = new IngestLane(bytes => Inspect(bytes, writer), TaskScheduler.Default, next: _store);
    }

    public LaneSums Sums { get; private set; }

    /// <summary>Whether no more should come before it is decided if sums are computed.</summary>
    public bool IsHoldingMuch => _held.Count >= MostHeld;

    private IEnumerable<IngestLane> All => [.. _sums, _inspector, _store];

    /// <param name="buffer">Is the lanes' from now on.</param>
    /// <param name="stored">True where the bytes come from the store itself.</param>
    public ValueTask GiveAsync(byte[] buffer, int length, bool stored)
    {
        switch (Sums)
        {
            case LaneSums.On:
                return GiveAsync([.. _sums, _inspector], new IngestBlock(buffer, length, _sums.Count + 1, stored));
            case LaneSums.Held:
                var block = new IngestBlock(buffer, length, lanes: 2, stored);
                _held.Add(block);
                return _inspector.GiveAsync(block);
            default:
                return _inspector.GiveAsync(new IngestBlock(buffer, length, lanes: 1, stored));
        }
    }

    /// <summary>Gives bytes to the sums that the other lanes have dealt with before.</summary>
    /// <param name="buffer">Is the lanes' from now on.</param>
    public ValueTask SumAsync(byte[] buffer, int length) => GiveAsync(_sums, new IngestBlock(buffer, length, _sums.Count, isStored: true));

    /// <summary>Has sums computed from now on, of what was held, too.</summary>
    public async Task BeginSumsAsync()
    {
        Sums = LaneSums.On;
        var held = _held.ToList();
        _held.Clear();
        foreach (var block in held)
        {
            block.Hold(_sums.Count - 1);
            await GiveAsync(_sums, block);
        }
    }

    /// <summary>Has no sums computed until they are owed.</summary>
    public void SpareSums()
    {
        Sums = LaneSums.Spared;
        Release();
    }

    /// <summary>Says that there is something to be summed up before what comes.</summary>
    public void OweSums() => Sums = LaneSums.Owed;

    /// <summary>Sends an empty block through every lane and waits for it to come out.</summary>
    public async Task SettleAsync()
    {
        foreach (var lane in All)
            await lane.SettleAsync();
    }

    /// <param name="known">The sums where they were spared; null where they were computed.</param>
    public async Task<IngestResult> FinishAsync(long length, IReadOnlyDictionary<ChecksumAlgorithm, string>? known)
    {
        foreach (var lane in All)
            await lane.FinishAsync();

        var sums = known ?? _digests.ToDictionary(d => d.Algorithm, d => Convert.ToHexStringLower(d.Finish()));
        return new IngestResult(Digest.Parse(sums[ChecksumAlgorithm.Sha256]), length, sums, length == 0 ? null : _inspection.Complete());
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        foreach (var lane in All)
            await lane.AbandonAsync();

        foreach (var digest in _digests)
            digest.Dispose();
    }

    private static async ValueTask GiveAsync(IReadOnlyList<IngestLane> lanes, IngestBlock block)
    {
        for (var i = 0; i < lanes.Count; i++)
        {
            try
            {
                await lanes[i].GiveAsync(block);
            }
            catch
            {
                for (var left = i + 1; left < lanes.Count; left++)
                    block.Release();
                throw;
            }
        }
    }

    private void Release()
    {
        foreach (var block in _held)
            block.Release();

        _held.Clear();
    }

    // The inspection comes before the store, to which it says how to cut what it gets.
    private ValueTask Inspect(ReadOnlyMemory<byte> bytes, ContentWriter writer)
    {
        _inspection.Observe(bytes.Span);
        while (_inspection.TakeRow() is { } row)
            writer.BeginRow(row);

        return ValueTask.CompletedTask;
    }

    private void AddSum(RunningDigest digest)
    {
        _digests.Add(digest);
        _sums.Add(new IngestLane(
            bytes =>
            {
                digest.Append(bytes.Span);
                return ValueTask.CompletedTask;
            },
            IngestThreads.Shared));
    }
}
