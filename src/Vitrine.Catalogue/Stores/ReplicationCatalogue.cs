using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Catalogue.Stores;

/// <summary>Which stores replicate to which, and what that leaves to be done, in the database.</summary>
internal sealed class ReplicationCatalogue(CatalogueDatabase database) : IReplicationCatalogue
{
    private const string Untried = """
        not exists (
            select 1 from replicas
            where image = images.id and store = @store and (state in ('ready', 'receiving') or updated_at > @triedBefore))
        """;

    private const string LastTried = "coalesce((select updated_at from replicas where image = images.id and store = @store), 0)";

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

    public Task<IReadOnlyList<ImageId>> ListMissingAsync(ReplicationQuery query, CancellationToken cancellationToken) => ListAsync(
        """
        id in (
            select replicas.image from replications join replicas on replicas.store = replications.store
            where replications.target = @store and replicas.state = 'ready')
        """,
        query, cancellationToken);

    public Task<IReadOnlyList<ImageId>> ListMissingInZoneAsync(ReplicationQuery query, CancellationToken cancellationToken) => ListAsync(
        """
        all_zones and not exists (
            select 1 from replicas join stores on stores.name = replicas.store
            where replicas.image = images.id and replicas.state in ('ready', 'receiving')
                and stores.zone = (select zone from stores where name = @store))
        """,
        query, cancellationToken);

    private async Task<IReadOnlyList<ImageId>> ListAsync(string wanted, ReplicationQuery query, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var ids = await connection.QueryAsync<string>(new CommandDefinition(
            $"""
            select id from images
            where status = 'active' and {wanted} and {Untried}
                and exists (select 1 from replicas where image = images.id and state = 'ready' and {database.Dialect.In("store", "@sources")})
            order by {LastTried}, created_at, id limit @limit
            """,
            new { store = query.Store, sources = query.Sources.ToArray(), triedBefore = Stored.Micros(query.TriedBefore), limit = query.Limit },
            cancellationToken: cancellationToken));
        return [.. ids.Select(ImageId.Parse)];
    }
}
