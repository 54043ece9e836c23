using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Nodes;

namespace Vitrine.Catalogue.Nodes;

/// <summary>The clock of the database.</summary>
internal sealed class CatalogueClock(CatalogueDatabase database) : ICatalogueClock
{
    public async Task<DateTimeOffset> ReadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return Stored.Time(await connection.QuerySingleAsync<long>(
            new CommandDefinition($"select {database.Dialect.Now}", cancellationToken: cancellationToken)));
    }
}
