using System.Data.Common;
using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Transfers;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Stores;

/// <summary>Replicas, claims, removals and stores in the database.</summary>
internal sealed class ReplicaCatalogue(CatalogueDatabase database, TimeProvider time) : IReplicaCatalogue
{
    /// <summary>SQLite takes a bounded number of values in a statement, and finds each by its name.</summary>
    private const int ImagesAtOnce = 500;

    public async Task<IReadOnlyList<Replica>> ListAsync(IReadOnlyCollection<ImageId> images, CancellationToken cancellationToken)
    {
        if (images.Count == 0)
            return [];

        await using var connection = await database.OpenAsync(cancellationToken);
        var replicas = new List<Replica>();
        foreach (var some in images.Distinct().OrderBy(id => id.ToString(), StringComparer.Ordinal).Chunk(ImagesAtOnce))
        {
            var rows = await connection.QueryAsync<ReplicaRow>(new CommandDefinition(
                $"select {Row<ReplicaRow>.Columns} from replicas where {database.Dialect.In("image", "@ids")} order by image, store",
                new { ids = some.Select(id => id.ToString()).ToArray() }, cancellationToken: cancellationToken));
            replicas.AddRange(rows.Select(row => row.ToReplica()));
        }

        return replicas;
    }

    public Task<bool> TryClaimAsync(string store, Digest digest, TransferId transfer, CancellationToken cancellationToken)
    {
        var claim = new ContentOf(store, digest.Hex, transfer.ToString());
        return database.WriteAsync(
            async (connection, transaction) =>
            {
                if (await IsBeingRemovedAsync(claim, transaction, cancellationToken))
                    return false;

                await connection.ExecuteAsync(new CommandDefinition(
                    """
                    update contents set removal_begun = null where store = @Store and digest = @Digest;
                    insert into content_claims (store, digest, transfer) values (@Store, @Digest, @Transfer)
                    on conflict (store, digest, transfer) do nothing
                    """,
                    claim, transaction, cancellationToken: cancellationToken));
                return true;
            },
            cancellationToken);
    }

    public Task<bool> TryBeginRemovalAsync(string store, Digest digest, CancellationToken cancellationToken)
    {
        var content = new ContentOf(store, digest.Hex);
        return database.WriteAsync(
            async (connection, transaction) =>
            {
                // Of two that remove at once, the slower could hit content that was committed after the quicker had ended.
                if (await IsBeingRemovedAsync(content, transaction, cancellationToken)
                    || await IsWantedAsync(content, transaction, cancellationToken))
                {
                    return false;
                }

                await connection.ExecuteAsync(new CommandDefinition(
                    "update contents set removal_begun = @now where store = @Store and digest = @Digest",
                    new { content.Store, content.Digest, now = Stored.Micros(time.GetUtcNow()) },
                    transaction, cancellationToken: cancellationToken));
                return true;
            },
            cancellationToken);
    }

    public Task EndRemovalAsync(string store, Digest digest, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            "delete from contents where store = @Store and digest = @Digest and removal_begun is not null",
            new ContentOf(store, digest.Hex), transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public async Task<IReadOnlyList<ContentHolder>> ListHoldersAsync(string store, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<HolderRow>(new CommandDefinition(
            """
            select replicas.digest, images.id, images.name, images.owner from replicas join images on images.id = replicas.image
            where replicas.store = @store and replicas.digest is not null order by images.name_key, images.id
            """,
            new { store }, cancellationToken: cancellationToken));
        return [.. rows.Select(r => new ContentHolder(Digest.Parse(r.Digest), ImageId.Parse(r.Id), r.Name, new ProjectId(r.Owner)))];
    }

    public async Task<StoreUse> MeasureAsync(string store, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var use = await connection.QuerySingleAsync<UseRow>(new CommandDefinition(
            """
            select coalesce(sum(replicas), 0) as replicas, count(digest) as contents,
                coalesce(sum(logical), 0) as logical, coalesce(sum(case when digest is null then 0 else stored end), 0) as stored
            from (
                select digest, count(*) as replicas, coalesce(sum(size), 0) as logical, coalesce(max(size), 0) as stored
                from replicas where store = @store and state <> 'failed' group by digest
            ) by_content
            """,
            new { store }, cancellationToken: cancellationToken));
        return new StoreUse(use.Replicas, use.Contents, use.Logical, use.Stored);
    }

    public Task SaveStoreAsync(Zone zone, LibraryStore store, CancellationToken cancellationToken) => database.WriteAsync(
        async (connection, transaction) =>
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into zones (name, description) values (@Name, @Description)
                on conflict (name) do update set description = excluded.description
                """,
                zone, transaction, cancellationToken: cancellationToken));
            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into stores (name, zone, kind, description, is_default) values (@Name, @Zone, @Kind, @Description, @IsDefault)
                on conflict (name) do update set
                    zone = excluded.zone, kind = excluded.kind, description = excluded.description, is_default = excluded.is_default
                """,
                store, transaction, cancellationToken: cancellationToken));
        },
        cancellationToken);

    public async Task<IReadOnlyList<Zone>> ListZonesAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<Zone>(new CommandDefinition(
            "select name, description from zones order by name", cancellationToken: cancellationToken))];
    }

    public async Task<IReadOnlyList<LibraryStore>> ListStoresAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<StoreRow>(new CommandDefinition(
            "select name, zone, kind, description, is_default, mode, sync_address from stores order by name", cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToStore())];
    }

    public Task SaveModeAsync(string store, StoreMode mode, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            "update stores set mode = @mode where name = @store",
            new { store, mode = mode.Word() }, transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public Task SaveSyncAddressAsync(string store, Uri? address, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            "update stores set sync_address = @address where name = @store",
            new { store, address = address?.AbsoluteUri }, transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public async Task<IReadOnlyList<Replica>> ListRetiredAsync(string store, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<ReplicaRow>(new CommandDefinition(
            $"select {Row<ReplicaRow>.Columns} from replicas where store = @store and state = 'retired' order by image",
            new { store }, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToReplica())];
    }

    public async Task<IReadOnlyList<ImageId>> ListMissingAsync(IReadOnlyCollection<string> from, string to, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var ids = await connection.QueryAsync<string>(new CommandDefinition(
            $"""
            select distinct image from replicas
            where {database.Dialect.In("store", "@from")} and state = 'ready'
                and image not in (select image from replicas where store = @to and state in ('ready', 'receiving'))
            order by image
            """,
            new { from = from.ToArray(), to }, cancellationToken: cancellationToken));
        return [.. ids.Select(ImageId.Parse)];
    }

    /// <summary>
    /// Holds the content's row until the transaction ends, so that claims and removals of one content come one after the other.
    /// Statements that follow see what the one before has committed.
    /// </summary>
    private async Task<bool> IsBeingRemovedAsync(ContentOf content, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var begun = await transaction.Connection!.ExecuteScalarAsync<long?>(new CommandDefinition(
            """
            insert into contents (store, digest) values (@Store, @Digest)
            on conflict (store, digest) do update set removal_begun = contents.removal_begun
            returning removal_begun
            """,
            content, transaction, cancellationToken: cancellationToken));
        return Stored.Time(begun) is { } then && time.GetUtcNow() - then < IReplicaCatalogue.RemovalPatience;
    }

    /// <remarks>
    /// One statement, so that it sees a transfer's end and the replica that is saved with it both or neither: before, the claim
    /// keeps the content, and after, the replica.
    /// </remarks>
    private static Task<bool> IsWantedAsync(ContentOf content, DbTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection!.ExecuteScalarAsync<bool>(new CommandDefinition(
            $"""
            select exists (select 1 from replicas where store = @Store and digest = @Digest)
                or exists (
                    select 1 from content_claims join transfers on transfers.id = content_claims.transfer
                    where content_claims.store = @Store and content_claims.digest = @Digest and {TransferCatalogue.NotOver})
            """,
            content, transaction, cancellationToken: cancellationToken));

    private sealed record ContentOf(string Store, string Digest, string? Transfer = null);

    private sealed class HolderRow
    {
        public string Digest { get; init; } = "";
        public string Id { get; init; } = "";
        public string? Name { get; init; }
        public string Owner { get; init; } = "";
    }

    private sealed class UseRow
    {
        public long Replicas { get; init; }
        public long Contents { get; init; }
        public long Logical { get; init; }
        public long Stored { get; init; }
    }

    private sealed class StoreRow
    {
        public string Name { get; init; } = "";
        public string Zone { get; init; } = "";
        public string Kind { get; init; } = "";
        public string Description { get; init; } = "";
        public bool IsDefault { get; init; }
        public string Mode { get; init; } = "";
        public string? SyncAddress { get; init; }

        public LibraryStore ToStore() => new(Name, Zone, Kind, Description, IsDefault)
        {
            Mode = Stored.Enum<StoreMode>(Mode),
            SyncAddress = SyncAddress is null ? null : new Uri(SyncAddress),
        };
    }
}
