using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Catalogue.Stores;

/// <summary>Which stores replicate to which, and what that leaves to be done, in the database.</summary>
internal sealed class ReplicationCatalogue(CatalogueDatabase database) : IReplicationCatalogue
{
    /// <summary>A condition on a replica: another copy there is under way or not needed, or comes too early.</summary>
    private const string IsThere = "(state in ('ready', 'receiving') or (state = 'failed' and updated_at > @failedSince))";

    public async Task<IReadOnlyList<ReplicationRule>> ListRulesAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<ReplicationRule>(new CommandDefinition(
            "select store, target from replications order by store, target", cancellationToken: cancellationToken))];
    }

    public Task SaveTargetsAsync(string store, IReadOnlyCollection<string> targets, CancellationToken cancellationToken) => database.WriteAsync(
        async (connection, transaction) =>
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "delete from replications where store = @store", new { store }, transaction, cancellationToken: cancellationToken));
            foreach (var target in targets)
                await connection.ExecuteAsync(new CommandDefinition(
                    "insert into replications (store, target) values (@store, @target) on conflict do nothing",
                    new { store, target }, transaction, cancellationToken: cancellationToken));
        },
        cancellationToken);

    public Task<IReadOnlyList<ImageId>> ListMissingAsync(string store, DateTimeOffset failedSince, int limit, CancellationToken cancellationToken) => ListAsync(
        $"""
        select id from images
        where status = 'active'
            and id in (
                select replicas.image from replications join replicas on replicas.store = replications.store
                where replications.target = @store and replicas.state = 'ready')
            and id not in (select image from replicas where store = @store and {IsThere})
        order by created_at, id limit @limit
        """,
        store, failedSince, limit, cancellationToken);

    public Task<IReadOnlyList<ImageId>> ListMissingInZoneAsync(string store, DateTimeOffset failedSince, int limit, CancellationToken cancellationToken) => ListAsync(
        $"""
        select id from images
        where all_zones and status = 'active'
            and not exists (
                select 1 from replicas join stores on stores.name = replicas.store
                where replicas.image = images.id and replicas.state in ('ready', 'receiving')
                    and stores.zone = (select zone from stores where name = @store))
            and not exists (select 1 from replicas where image = images.id and store = @store and {IsThere})
        order by created_at, id limit @limit
        """,
        store, failedSince, limit, cancellationToken);

    private async Task<IReadOnlyList<ImageId>> ListAsync(
        string statement, string store, DateTimeOffset failedSince, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var ids = await connection.QueryAsync<string>(new CommandDefinition(
            statement, new { store, failedSince = Stored.Micros(failedSince), limit }, cancellationToken: cancellationToken));
        return [.. ids.Select(ImageId.Parse)];
    }
}
