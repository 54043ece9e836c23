using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;

namespace Vitrine.Catalogue;

/// <summary>The library's own authority in the database.</summary>
internal sealed class AuthorityCatalogue(CatalogueDatabase database) : IAuthorityCatalogue
{
    public async Task<StoredAuthority> FindOrKeepAsync(Func<StoredAuthority> make, CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is { } known)
            return known;

        var made = make();
        await database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
                "insert into authority (id, certificate, sealed_key) values (1, @Certificate, @SealedKey) on conflict (id) do nothing",
                made, transaction, cancellationToken: cancellationToken)),
            cancellationToken);
        return await FindAsync(cancellationToken) ?? made;
    }

    private async Task<StoredAuthority?> FindAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<StoredAuthority>(new CommandDefinition(
            "select certificate, sealed_key from authority", cancellationToken: cancellationToken));
    }
}
