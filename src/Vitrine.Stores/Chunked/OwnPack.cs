namespace Vitrine.Stores.Chunked;

/// <summary>A writer's open pack, and what blocks it has so far, those in no segment yet included.</summary>
internal sealed class OwnPack : IAsyncDisposable
{
    private readonly ChunkedEngine _engine;
    private readonly Dictionary<BlockName, uint> _offsets = [];

    private OwnPack(ChunkedEngine engine, OpenPack pack, int number) => (_engine, Pack, Number) = (engine, pack, number);

    public OpenPack Pack { get; }

    public int Number { get; }

    /// <summary>Of all blocks, in bytes.</summary>
    public uint PlainLength { get; private set; }

    /// <summary>Ends when the pack is sealed.</summary>
    public Task Sealed { get; set; } = Task.CompletedTask;

    public static async Task<OwnPack> BeginAsync(ChunkedEngine engine, StagingKey key)
    {
        var pack = await OpenPack.BeginAsync(engine.Objects, key, Guid.CreateVersion7(engine.Time.GetUtcNow()));
        var number = engine.Packs.NumberOf(pack.Id);
        engine.Packs[number].Open = pack;
        return new OwnPack(engine, pack, number);
    }

    public BlockPlace? Find(in BlockName name) => _offsets.TryGetValue(name, out var offset) ? new BlockPlace(Number, offset) : null;

    public void Add(in BlockName name, uint offset, int length)
    {
        _offsets.TryAdd(name, offset);
        PlainLength = offset + (uint)length;
    }

    /// <summary>Ends the pack, so that all writers may refer to it.</summary>
    public async Task SealAsync()
    {
        await Pack.SealAsync();
        _engine.Known.Add(Number, Pack.Blocks);
        await DisposeAsync();
    }

    /// <summary>Leaves it as it is. It is read as an open one no more, since somebody else may go on with it.</summary>
    public ValueTask DisposeAsync()
    {
        _engine.Packs[Number].Open = null;
        return Pack.DisposeAsync();
    }
}
