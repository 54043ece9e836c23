using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Metadata;

namespace Vitrine.Catalogue.Metadata;

/// <summary>Namespaces of definitions in the database.</summary>
internal sealed class DefinitionCatalogue(CatalogueDatabase database) : IDefinitionCatalogue
{
    private static readonly UniqueRule OneName = new("metadata_namespaces_name", "metadata_namespaces.name");

    private static readonly string Insert =
        $"insert into metadata_namespaces ({Row<NamespaceRow>.Columns}) values ({Row<NamespaceRow>.Parameters})";

    private static readonly string Update =
        $"update metadata_namespaces set {Row<NamespaceRow>.Assignments} where id = @Id and version = @Version - 1";

    private static readonly string InsertIfFree = $"{Insert} on conflict (name) do nothing";

    public async Task<DefinitionNamespace> SaveAsync(DefinitionNamespace space, CancellationToken cancellationToken)
    {
        try
        {
            await database.WriteAsync((_, transaction) => SaveAsync(space, transaction, cancellationToken), cancellationToken);
            return space with { Version = space.Version + 1 };
        }
        catch (DbException error) when (database.Dialect.Breaks(error, OneName))
        {
            throw new DefinitionExistsException(DefinitionKind.Namespace, space.Name);
        }
    }

    public async Task<DefinitionNamespace?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!Stored.CanHold(name))
            return null;

        await using var connection = await database.OpenAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<NamespaceRow>(new CommandDefinition(
            $"select {Row<NamespaceRow>.Columns} from metadata_namespaces where name = @name", new { name }, cancellationToken: cancellationToken));
        return row?.ToNamespace();
    }

    public async Task<IReadOnlyList<DefinitionNamespace>> ListAsync(NamespaceQuery query, CancellationToken cancellationToken)
    {
        var listing = new NamespaceListing(query, database.Dialect);
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<NamespaceRow>(new CommandDefinition(
            listing.Statement, listing.Values, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToNamespace())];
    }

    public async Task DeleteAsync(DefinitionNamespace space, CancellationToken cancellationToken)
    {
        var deleted = await database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
                "delete from metadata_namespaces where id = @id and version = @version",
                new { id = space.Id.ToString(), version = space.Version }, transaction, cancellationToken: cancellationToken)),
            cancellationToken);
        if (deleted == 0)
            throw Changed(space);
    }

    public async Task<IReadOnlyList<ResourceType>> ListResourceTypesAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<ResourceTypeRow>(new CommandDefinition(
            "select name, created_at from metadata_resource_types order by name", cancellationToken: cancellationToken));
        return [.. rows.Select(row => new ResourceType(row.Name, Stored.Time(row.CreatedAt)))];
    }

    public Task PreloadAsync(IReadOnlyList<DefinitionNamespace> spaces, CancellationToken cancellationToken) => database.WriteAsync(
        async (_, transaction) =>
        {
            foreach (var space in spaces)
                await PreloadAsync(space, transaction, cancellationToken);
        },
        cancellationToken);

    private static async Task PreloadAsync(DefinitionNamespace space, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        var isNew = await connection.ExecuteAsync(new CommandDefinition(
            "insert into metadata_preloads (name) values (@Name) on conflict (name) do nothing",
            new { space.Name }, transaction, cancellationToken: cancellationToken));
        if (isNew == 0)
            return;

        var stored = await connection.ExecuteAsync(new CommandDefinition(
            InsertIfFree, NamespaceRow.From(space), transaction, cancellationToken: cancellationToken));
        if (stored == 1)
            await LinkAsync(space, transaction, cancellationToken);
    }

    private static async Task SaveAsync(DefinitionNamespace space, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var stored = await transaction.Connection!.ExecuteAsync(new CommandDefinition(
            space.Version == 0 ? Insert : Update, NamespaceRow.From(space), transaction, cancellationToken: cancellationToken));
        if (stored == 0)
            throw Changed(space);

        await LinkAsync(space, transaction, cancellationToken);
    }

    private static async Task LinkAsync(DefinitionNamespace space, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        var id = space.Id.ToString();
        await connection.ExecuteAsync(new CommandDefinition(
            "delete from metadata_links where namespace = @id", new { id }, transaction, cancellationToken: cancellationToken));

        // In one order, so that two namespaces that name the same new types wait for each other and do not lock each other out.
        foreach (var link in space.ResourceTypes.OrderBy(link => link.Name, StringComparer.Ordinal))
        {
            var values = new { id, link.Name, CreatedAt = Stored.Micros(link.CreatedAt) };
            await connection.ExecuteAsync(new CommandDefinition(
                "insert into metadata_links (namespace, resource_type) values (@id, @Name)", values, transaction, cancellationToken: cancellationToken));
            await connection.ExecuteAsync(new CommandDefinition(
                "insert into metadata_resource_types (name, created_at) values (@Name, @CreatedAt) on conflict (name) do nothing",
                values, transaction, cancellationToken: cancellationToken));
        }
    }

    private static ConcurrentChangeException Changed(DefinitionNamespace space) => new($"The metadata namespace {space.Name}");

    private sealed class ResourceTypeRow
    {
        public string Name { get; init; } = "";
        public long CreatedAt { get; init; }
    }
}
