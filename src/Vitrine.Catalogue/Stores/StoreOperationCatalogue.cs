using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Stores;

namespace Vitrine.Catalogue.Stores;

/// <summary>Operations of stores in the database.</summary>
internal sealed class StoreOperationCatalogue(CatalogueDatabase database) : IStoreOperationCatalogue
{
    /// <summary>The index of living operations has the same words.</summary>
    internal const string NotOver = "state not in ('done', 'failed')";

    private static readonly UniqueRule OneLiving = new("store_operations_living", "index 'store_operations_living'");

    private static readonly string Insert =
        $"insert into store_operations ({Row<StoreOperationRow>.Columns}) values ({Row<StoreOperationRow>.Parameters})";

    private static readonly string Update =
        $"update store_operations set {Row<StoreOperationRow>.Assignments} where id = @Id and version = @Version - 1";

    public async Task<StoreOperation> SaveAsync(StoreOperation operation, CancellationToken cancellationToken)
    {
        try
        {
            var stored = await database.WriteAsync(
                (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
                    operation.Version == 0 ? Insert : Update, StoreOperationRow.From(operation), transaction, cancellationToken: cancellationToken)),
                cancellationToken);
            return stored == 1
                ? operation with { Version = operation.Version + 1 }
                : throw new ConcurrentChangeException($"Operation {operation.Id}");
        }
        catch (DbException error) when (database.Dialect.Breaks(error, OneLiving))
        {
            throw new StoreBusyException(operation.Store);
        }
    }

    public async Task<StoreOperation?> FindAsync(StoreOperationId id, CancellationToken cancellationToken) =>
        (await ReadAsync("where id = @id", new { id = id.ToString() }, cancellationToken)).SingleOrDefault();

    public Task<IReadOnlyList<StoreOperation>> ListAsync(string store, CancellationToken cancellationToken) =>
        ReadAsync("where store = @store order by created_at desc, id desc", new { store }, cancellationToken);

    public Task<IReadOnlyList<StoreOperation>> ListOrphansAsync(IReadOnlyCollection<string> livingNodes, CancellationToken cancellationToken) => ReadAsync(
        $"where {NotOver} and (node is null or not ({database.Dialect.In("node", "@nodes")})) order by created_at, id",
        new { nodes = livingNodes.ToArray() }, cancellationToken);

    public Task RemoveAsync(IReadOnlyCollection<StoreOperationId> operations, CancellationToken cancellationToken) => operations.Count == 0
        ? Task.CompletedTask
        : database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
                $"delete from store_operations where {database.Dialect.In("id", "@ids")} and not ({NotOver})",
                new { ids = operations.Select(id => id.ToString()).ToArray() }, transaction, cancellationToken: cancellationToken)),
            cancellationToken);

    private async Task<IReadOnlyList<StoreOperation>> ReadAsync(string which, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<StoreOperationRow>(new CommandDefinition(
            $"select {Row<StoreOperationRow>.Columns} from store_operations {which}", parameters, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToOperation())];
    }
}
