using Vitrine.Access;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of stores that were added while the library ran.</summary>
public abstract class AddedStoreCatalogueContract(CatalogueFixture fixture)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_that_was_added_is_read_back_and_is_a_store_like_others()
    {
        var added = New("it-is-new");
        await fixture.AddedStores.AddAsync(added, Stop);
        Assert.Contains(added, await fixture.AddedStores.ListAsync(Stop));
        Assert.Contains(added.Store, await fixture.Replicas.ListStoresAsync(Stop));
        Assert.Contains(await fixture.Replicas.ListZonesAsync(Stop), z => z.Name == added.Store.Zone);
        await fixture.Replicas.SaveModeAsync(added.Store.Name, StoreMode.ReadOnly, Stop);
        Assert.Contains(added.Store with { Mode = StoreMode.ReadOnly }, await fixture.Replicas.ListStoresAsync(Stop));
        await fixture.Replicas.SaveSyncAddressAsync(added.Store.Name, null, Stop);
        Assert.Contains(added.Store with { Mode = StoreMode.ReadOnly, SyncAddress = null }, await fixture.Replicas.ListStoresAsync(Stop));
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        var configured = New("configured").Store;
        await fixture.Replicas.SaveStoreAsync(new Zone(configured.Zone, "kept"), configured, Stop);
        await Assert.ThrowsAsync<StoreExistsException>(() => fixture.AddedStores.AddAsync(New("configured"), Stop));
        Assert.Contains(new Zone(configured.Zone, "kept"), await fixture.Replicas.ListZonesAsync(Stop));

        var added = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Record.ExceptionAsync(() => fixture.AddedStores.AddAsync(New("wanted"), Stop)).AsTask()));
        Assert.Single(added, failure => failure is null);
        Assert.Equal(3, added.Count(failure => failure is StoreExistsException));
    }

    private static AddedStore New(string name) =>
        new(new LibraryStore(name, "it's a zone", "chunked", "It's new", IsDefault: false) { SyncAddress = new Uri("https://10.1.0.5:7480/") }, "sealed", new UserId("user"), Samples.Noon);
}

public sealed class SqliteAddedStoreCatalogueTests(SqliteFixture fixture) : AddedStoreCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresAddedStoreCatalogueTests(PostgresFixture fixture) : AddedStoreCatalogueContract(fixture), IClassFixture<PostgresFixture>;
