using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Stores;

namespace Vitrine.Catalogue.Stores;

/// <summary>Stores that were added while the library ran, in the database.</summary>
internal sealed class AddedStoreCatalogue(CatalogueDatabase database) : IAddedStoreCatalogue
{
    public Task AddAsync(AddedStore store, CancellationToken cancellationToken) => database.WriteAsync(
        async (connection, transaction) =>
        {
            var row = new AddedStoreRow
            {
                Name = store.Store.Name,
                Zone = store.Store.Zone,
                Kind = store.Store.Kind,
                Description = store.Store.Description,
                Settings = store.SealedSettings,
                SyncAddress = store.Store.SyncAddress?.AbsoluteUri,
                AddedBy = store.AddedBy.Value,
                AddedAt = Stored.Micros(store.AddedAt),
            };
            var isNew = await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into stores (name, zone, kind, description, is_default, sync_address)
                values (@Name, @Zone, @Kind, @Description, false, @SyncAddress)
                on conflict (name) do nothing
                """,
                row, transaction, cancellationToken: cancellationToken));
            if (isNew == 0)
                throw new StoreExistsException(store.Store.Name);

            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into zones (name, description) values (@Zone, '') on conflict (name) do nothing;
                insert into added_stores (name, settings, added_by, added_at) values (@Name, @Settings, @AddedBy, @AddedAt)
                """,
                row, transaction, cancellationToken: cancellationToken));
        },
        cancellationToken);

    public async Task<IReadOnlyList<AddedStore>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<AddedStoreRow>(new CommandDefinition(
            """
            select stores.name, zone, kind, description, sync_address, settings, added_by, added_at
            from added_stores join stores on stores.name = added_stores.name order by stores.name
            """,
            cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToStore())];
    }

    private sealed class AddedStoreRow
    {
        public string Name { get; init; } = "";
        public string Zone { get; init; } = "";
        public string Kind { get; init; } = "";
        public string Description { get; init; } = "";
        public string? SyncAddress { get; init; }
        public string Settings { get; init; } = "";
        public string AddedBy { get; init; } = "";
        public long AddedAt { get; init; }

        public AddedStore ToStore() =>
            new(new LibraryStore(Name, Zone, Kind, Description, IsDefault: false) { SyncAddress = SyncAddress is null ? null : new Uri(SyncAddress) }, Settings, new UserId(AddedBy), Stored.Time(AddedAt));
    }
}
