using Vitrine.Stores;
using Vitrine.Stores.Memory;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

public sealed class MemoryStoreTests : ContentStoreContract
{
    private readonly MemoryStore _store = new("memory", new ManualClock());

    internal override IContentStore Store => _store;

    internal override Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        _store.CutPower();
        return Task.FromResult(Store);
    }
}

public sealed class FullMemoryStoreTests : FullStoreContract
{
    internal override IContentStore OpenStore() => new MemoryStore("memory", new ManualClock(), capacity: 2_200_000);

    [Fact]
    public Task It_keeps_what_was_written_before_it_was_full() => A_full_store_keeps_what_was_written_before_it_was_full();

    [Fact]
    public Task It_can_be_written_to_when_room_was_made() => Room_that_is_made_can_be_used();

    [Fact]
    public Task It_says_so_when_it_is_probed() => A_store_without_room_says_so_when_it_is_probed();
}

/// <summary>The stores around stores that tests use must be stores too, as long as nothing is asked of them.</summary>
public sealed class FaultyStoreTests : ContentStoreContract
{
    private readonly MemoryStore _inner = new("memory", new ManualClock());
    private readonly FaultyStore _store;

    public FaultyStoreTests() => _store = new FaultyStore(_inner);

    internal override IContentStore Store => _store;

    internal override Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        _inner.CutPower();
        return Task.FromResult(Store);
    }

    [Fact]
    public async Task It_fails_as_often_as_it_was_asked_to_and_not_before()
    {
        _store.On(StoreCall.Write).Throw(new StoreFullException("memory", 1, 0)).After(1).Times(2);
        await using var writer = await Store.OpenWriterAsync(new StagingKey("one"), Stop);

        await writer.WriteAsync(new byte[1], Stop);
        await Assert.ThrowsAsync<StoreFullException>(() => writer.WriteAsync(new byte[1], Stop).AsTask());
        await Assert.ThrowsAsync<StoreFullException>(() => writer.WriteAsync(new byte[1], Stop).AsTask());
        await writer.WriteAsync(new byte[1], Stop);
        Assert.Equal(2, writer.Length);
    }
}

public sealed class PausedStoreTests : ContentStoreContract
{
    private readonly MemoryStore _inner = new("memory", new ManualClock());
    private readonly PausedStore _store;

    public PausedStoreTests() => _store = new PausedStore(_inner);

    internal override IContentStore Store => _store;

    internal override Task<IContentStore> CutPowerAsync(params ContentWriter[] open)
    {
        _inner.CutPower();
        return Task.FromResult(Store);
    }

    [Fact]
    public async Task A_call_waits_until_the_test_says_go()
    {
        var gate = _store.Pause(StoreCall.Find);
        var found = Store.FindAsync(Vitrine.Content.Digest.Of([]), Stop);
        await gate.Reached;
        Assert.False(found.IsCompleted);

        gate.Open();
        Assert.Null(await found);
    }

    [Fact]
    public async Task A_call_that_waits_can_be_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        var gate = _store.Pause(StoreCall.Find);
        var found = Store.FindAsync(Vitrine.Content.Digest.Of([]), cancelled.Token);
        await gate.Reached;
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => found);
    }
}
