using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

public sealed class MemoryObjectsTests : ObjectStoreContract
{
    private readonly MemoryObjects _store = new("memory", new ManualClock());

    private protected override Task<IObjectStore> OpenAsync() => Task.FromResult<IObjectStore>(_store);

    private protected override Task<IObjectStore> CutPowerAsync(params ObjectAppender[] open)
    {
        _store.CutPower();
        return Task.FromResult(Store);
    }

    [Fact]
    public async Task A_lock_that_ended_with_the_power_is_not_let_go_of_in_anothers_hands()
    {
        var old = await Store.TryLockAsync("staging/a", Stop);
        _store.CutPower();
        await using var held = await Store.TryLockAsync("staging/a", Stop);
        await old!.DisposeAsync();
        Assert.Null(await Store.TryLockAsync("staging/a", Stop));
    }
}

public sealed class FullMemoryObjectsTests : FullObjectStoreContract
{
    private protected override Task<IObjectStore> OpenAsync() =>
        Task.FromResult<IObjectStore>(new MemoryObjects("memory", new ManualClock(), capacity: 2_200_000));

    [Fact]
    public Task A_put_without_room_leaves_nothing() => A_put_that_does_not_fit_leaves_nothing();

    [Fact]
    public Task An_append_without_room_does_not_count() => An_append_that_does_not_fit_does_not_count();
}
