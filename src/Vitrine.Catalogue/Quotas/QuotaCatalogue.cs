using System.Data.Common;
using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Quotas;

namespace Vitrine.Catalogue.Quotas;

/// <summary>Quotas in the database.</summary>
internal sealed class QuotaCatalogue(CatalogueDatabase database) : IQuotaCatalogue
{
    private static readonly UniqueRule OneOfProject = new("quotas_of_project", "quotas.project, quotas.resource");

    public async Task<Quota?> FindAsync(QuotaId id, CancellationToken cancellationToken) =>
        (await ReadAsync("where id = @id", new { id = id.ToString() }, cancellationToken)).SingleOrDefault();

    public Task<IReadOnlyList<Quota>> ListAsync(CancellationToken cancellationToken) => ReadAsync("order by id", new { }, cancellationToken);

    public Task AddAsync(IReadOnlyList<Quota> quotas, CancellationToken cancellationToken) => database.WriteAsync(
        async (_, transaction) =>
        {
            foreach (var quota in quotas)
                await AddAsync(quota, transaction, cancellationToken);
        },
        cancellationToken);

    public async Task<bool> UpdateAsync(Quota quota, CancellationToken cancellationToken) => await ExecuteAsync(
        "update quotas set most = @Most, description = @Description where id = @Id", QuotaRow.From(quota), cancellationToken) > 0;

    public async Task<bool> DeleteAsync(QuotaId id, CancellationToken cancellationToken) =>
        await ExecuteAsync("delete from quotas where id = @id", new { id = id.ToString() }, cancellationToken) > 0;

    public async Task<QuotaUse> MeasureAsync(ProjectId project, CancellationToken cancellationToken)
    {
        if (!Stored.CanHold(project.Value))
            return default;

        await using var connection = await database.OpenAsync(cancellationToken);
        return await QuotaMeasure.TakeAsync(connection, transaction: null, project.Value, cancellationToken);
    }

    private async Task AddAsync(Quota quota, DbTransaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            await transaction.Connection!.ExecuteAsync(new CommandDefinition(
                $"insert into quotas ({Row<QuotaRow>.Columns}) values ({Row<QuotaRow>.Parameters})",
                QuotaRow.From(quota), transaction, cancellationToken: cancellationToken));
        }
        catch (DbException error) when (database.Dialect.Breaks(error, OneOfProject))
        {
            throw new QuotaExistsException(quota.Project, quota.Resource);
        }
    }

    private async Task<IReadOnlyList<Quota>> ReadAsync(string which, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<QuotaRow>(new CommandDefinition(
            $"select {Row<QuotaRow>.Columns} from quotas {which}", parameters, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToQuota())];
    }

    private Task<int> ExecuteAsync(string statement, object values, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(statement, values, transaction, cancellationToken: cancellationToken)),
        cancellationToken);
}
