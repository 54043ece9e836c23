using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Catalogue.Stores;

/// <summary>What stores have described, in the database.</summary>
/// <remarks>
/// The column <c>described</c> of an image says that no store lacks anything of it, so that the many images that nothing is to be done for
/// are not looked at each time.
/// </remarks>
internal sealed class DescriptionCatalogue(CatalogueDatabase database) : IDescriptionCatalogue
{
    /// <summary>To be run where the members of the image change, whose row the transaction holds then.</summary>
    public const string DescribeAnew = """
        update images set described = 0 where id = @Image;
        update image_descriptions set version = 0 where image = @Image
        """;

    private const string IsThere = """
        images.status = 'active' and exists (
            select 1 from replicas where image = images.id and store = stores.name and state in ('ready', 'retired'))
        """;

    /// <summary>A condition on an image and a store: there is something to be done.</summary>
    private const string IsLacking = $"""
        case when {IsThere}
            then not exists (select 1 from image_descriptions d where d.image = images.id and d.store = stores.name and d.version = images.version)
            else exists (select 1 from image_descriptions d where d.image = images.id and d.store = stores.name)
        end
        """;

    public async Task<IReadOnlyList<ImageId>> ListUndescribedAsync(string store, ImageId? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var ids = await connection.QueryAsync<string>(new CommandDefinition(
            $"""
            select images.id from images join stores on stores.name = @store
            where images.described <> images.version and images.status in ('active', 'deleted') and images.id > @after and {IsLacking}
            order by images.id limit @limit
            """,
            new { store, after = after?.ToString() ?? "", limit }, cancellationToken: cancellationToken));
        return [.. ids.Select(ImageId.Parse)];
    }

    public Task BeginAsync(string store, ImageId id, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            """
            insert into image_descriptions (image, store, version) values (@id, @store, -1)
            on conflict (image, store) do update set version = -1
            """,
            new { id = id.ToString(), store }, transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public Task EndAsync(string store, ImageId id, long? version, CancellationToken cancellationToken) => database.WriteAsync(
        (_, transaction) => EndAsync(new Description(id.ToString(), store, version ?? 0), version is null, transaction, cancellationToken), cancellationToken);

    private async Task EndAsync(Description description, bool isRemoved, DbTransaction transaction, CancellationToken cancellationToken)
    {
        // Changes of members and ends in other stores come before or after all of this.
        var connection = transaction.Connection!;
        await connection.ExecuteAsync(new CommandDefinition(
            $"select 1 from images where id = @Image {database.Dialect.ForUpdate}", description, transaction, cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new CommandDefinition(
            isRemoved
                ? "delete from image_descriptions where image = @Image and store = @Store and version = -1"
                : "update image_descriptions set version = @Version where image = @Image and store = @Store and version = -1",
            description, transaction, cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new CommandDefinition(
            $"""
            update images set described = version
            where id = @Image and described <> version and not exists (select 1 from stores where {IsLacking})
            """,
            description, transaction, cancellationToken: cancellationToken));
    }

    private sealed record Description(string Image, string Store, long Version);
}
