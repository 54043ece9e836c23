using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Transfers;

/// <summary>Transfers in the database.</summary>
internal sealed class TransferCatalogue(CatalogueDatabase database) : ITransferCatalogue
{
    /// <summary>The states in which a transfer is over; the index of living transfers has the same words.</summary>
    internal const string NotOver = "state not in ('done', 'failed', 'cancelled')";

    /// <summary>The transfers that a run of a node works on, living or not.</summary>
    internal const string InWork = $"{NotOver} and state <> 'queued' and node is not null";

    /// <summary>Those of them that count against limits.</summary>
    internal const string InWorkAndLimited = $"{InWork} and kind in ('import', 'copy')";

    public async Task<Transfer?> FindAsync(TransferId id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<TransferRow>(new CommandDefinition(
            $"select {Row<TransferRow>.Columns} from transfers where id = @id",
            new { id = id.ToString() }, cancellationToken: cancellationToken));
        return row?.ToTransfer();
    }

    public async Task<IReadOnlyList<Transfer>> ListAsync(TransferQuery query, CancellationToken cancellationToken)
    {
        if (query.Project is { } project && !Stored.CanHold(project.Value))
            return [];

        var parameters = new Parameters();
        var direction = query.OldestFirst ? "asc" : "desc";
        var statement = $"""
            select {Row<TransferRow>.Columns} from transfers
            where {string.Join(" and ", Terms(query, parameters))}
            order by created_at {direction}, id {direction} limit {parameters.Add(query.Limit)}
            """;
        return await ListAsync(statement, parameters, cancellationToken);
    }

    public Task<IReadOnlyList<Transfer>> ListOrphansAsync(
        IReadOnlyCollection<string> livingNodes, CancellationToken cancellationToken)
    {
        // A run that died leaves whatever it worked on, even where the next attempt is only due later. An import or a copy that no
        // run has is ours to fetch. An upload that no run has waits for its client, who will find a node by himself,
        // once its parts are complete for a node to put together.
        var parameters = new Parameters();
        var statement = $"""
            select {Row<TransferRow>.Columns} from transfers
            where {NotOver} and (
                (kind in ('import', 'copy') and (state = 'queued' or node is null))
                or (node is null and exists (select 1 from upload_parts where upload = transfers.id and place is not null))
                or (node is not null and not ({database.Dialect.In("node", parameters.Add(livingNodes.ToArray()))})))
            order by created_at, id
            """;
        return ListAsync(statement, parameters, cancellationToken);
    }

    public async Task<IReadOnlyList<RunningTransfer>> ListRunningAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<RunningRow>(new CommandDefinition(
            $"select id, node, source_host, project from transfers where {InWorkAndLimited}", cancellationToken: cancellationToken));
        return [.. rows.Select(r => new RunningTransfer(TransferId.Parse(r.Id), r.Node, r.SourceHost, new ProjectId(r.Project)))];
    }

    private IEnumerable<string> Terms(TransferQuery query, Parameters parameters)
    {
        yield return "1 = 1";
        if (query.Project is { } project)
            yield return $"project = {parameters.Add(project.Value)}";
        if (query.Image is { } image)
            yield return $"image = {parameters.Add(image.ToString())}";
        if (query.Kinds.Count > 0)
            yield return database.Dialect.In("kind", parameters.Add(query.Kinds.Select(kind => kind.Word()).ToArray()));
        if (query.Operation is { } operation)
            yield return $"operation = {parameters.Add(operation.ToString())}";
        if (query.Store is { } store)
            yield return $"store = {parameters.Add(store)}";
        if (ReferenceEquals(query.States, Transfer.LivingStates))
            yield return NotOver;
        else if (query.States.Count > 0)
            yield return database.Dialect.In("state", parameters.Add(query.States.Select(state => state.Word()).ToArray()));
        if (query.After is { } last)
            yield return $"(created_at, id) {(query.OldestFirst ? ">" : "<")} (select created_at, id from transfers where id = {parameters.Add(last.ToString())})";
    }

    private sealed class RunningRow
    {
        public string Id { get; init; } = "";
        public string Node { get; init; } = "";
        public string? SourceHost { get; init; }
        public string Project { get; init; } = "";
    }

    private async Task<IReadOnlyList<Transfer>> ListAsync(string statement, Parameters parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<TransferRow>(
            new CommandDefinition(statement, parameters.Values, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToTransfer())];
    }
}
