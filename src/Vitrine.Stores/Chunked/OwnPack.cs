namespace Vitrine.Stores.Chunked;

/// <summary>A writer's open pack, and what blocks it has so far, those in no segment yet included.</summary>
internal sealed class OwnPack : IAsyncDisposable
{
    private readonly ChunkedEngine _engine;

    private OwnPack(ChunkedEngine engine, OpenPack pack, int number, Dictionary<BlockName, uint> offsets) =>
        (_engine, Pack, Number, Offsets) = (engine, pack, number, offsets);

    public OpenPack Pack { get; }

    public int Number { get; }

    /// <summary>Where each block begins. Large, so that the next pack uses it again.</summary>
    public Dictionary<BlockName, uint> Offsets { get; }

    /// <summary>Of all blocks, in bytes.</summary>
    public uint PlainLength { get; private set; }

    /// <summary>Ends when the pack is sealed.</summary>
    public Task Sealed { get; set; } = Task.CompletedTask;

    /// <param name="offsets">To be filled.</param>
    public static async Task<OwnPack> BeginAsync(ChunkedEngine engine, StagingKey key, Dictionary<BlockName, uint> offsets)
    {
        var pack = await OpenPack.BeginAsync(engine.Objects, key, Guid.CreateVersion7(engine.Time.GetUtcNow()));
        var number = engine.Packs.NumberOf(pack.Id);
        engine.Packs[number].Open = pack;
        return new OwnPack(engine, pack, number, offsets);
    }

    public BlockPlace? Find(in BlockName name) => Offsets.TryGetValue(name, out var offset) ? new BlockPlace(Number, offset) : null;

    public void Add(in BlockName name, uint offset, int length)
    {
        Offsets.TryAdd(name, offset);
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
