using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Limits;

namespace Vitrine.Catalogue.Limits;

/// <summary>What operators decided of limits, in the database.</summary>
internal sealed class LimitCatalogue(CatalogueDatabase database) : ILimitCatalogue
{
    public async Task<IReadOnlyDictionary<LimitName, long?>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<LimitRow>(new CommandDefinition("select name, value from limits", cancellationToken: cancellationToken));
        var decided = new Dictionary<LimitName, long?>();
        foreach (var row in rows)
        {
            // A later release may know more of them.
            if (LimitNames.TryParse(row.Name, out var name))
                decided[name] = row.Value;
        }

        return decided;
    }

    public Task SaveAsync(IReadOnlyCollection<LimitChange> changes, CancellationToken cancellationToken) => database.WriteAsync(
        async (connection, transaction) =>
        {
            // In one order, so that two changes do not each hold what the other needs.
            foreach (var change in changes.OrderBy(c => c.Name))
                await connection.ExecuteAsync(new CommandDefinition(
                    change.AsConfigured
                        ? "delete from limits where name = @Name"
                        : "insert into limits (name, value) values (@Name, @Value) on conflict (name) do update set value = excluded.value",
                    new LimitRow { Name = change.Name.Spelled(), Value = change.Value }, transaction, cancellationToken: cancellationToken));
        },
        cancellationToken);

    private sealed class LimitRow
    {
        public string Name { get; init; } = "";
        public long? Value { get; init; }
    }
}
