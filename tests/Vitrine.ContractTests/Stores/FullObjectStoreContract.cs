using Vitrine.Stores;
using Vitrine.Stores.Objects;

namespace Vitrine.ContractTests.Stores;

/// <summary>What a store of named objects with a bound must do when it comes to it.</summary>
public abstract class FullObjectStoreContract
{
    private const string Growing = "staging/a.log";

    /// <summary>A store with room for two million bytes and not for three.</summary>
    private protected abstract Task<IObjectStore> OpenAsync();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected async Task A_put_that_does_not_fit_leaves_nothing()
    {
        await using var store = await OpenAsync();
        await store.PutAsync("packs/one", new byte[1_000_000], Stop);
        var full = await Assert.ThrowsAsync<StoreFullException>(() => store.PutAsync("packs/two", new byte[2_000_000], Stop));
        Assert.Equal(2_000_000, full.Needed);
        Assert.Null(await store.FindAsync("packs/two", Stop));

        await store.PutAsync("packs/three", new byte[800_000], Stop);
        Assert.Equal(2, await store.ListAsync("packs/", Stop).CountAsync(Stop));
    }

    private protected async Task An_append_that_does_not_fit_does_not_count()
    {
        await using var store = await OpenAsync();
        await using (var appender = await store.OpenAppenderAsync(Growing, Stop))
        {
            await appender.AppendAsync(new byte[1_000_000], Stop);
            await Assert.ThrowsAsync<StoreFullException>(() => appender.AppendAsync(new byte[2_000_000], Stop).AsTask());
            Assert.Equal(1_000_000, appender.Length);
            await appender.FlushAsync(Stop);
        }

        await using var next = await store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(1_000_000, next.Length);
        await next.AppendAsync(new byte[800_000], Stop);
        await next.SealAsync("packs/one", Stop);
        Assert.Equal(1_800_000, (await store.FindAsync("packs/one", Stop))!.Value.Length);
    }
}
