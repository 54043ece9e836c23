using System.Text.Json;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Stores;
using Vitrine.Catalogue.Transfers;
using Vitrine.Nodes;

namespace Vitrine.Catalogue.Nodes;

/// <summary>Nodes in the database.</summary>
internal sealed class NodeCatalogue(CatalogueDatabase database) : INodeCatalogue
{
    public Task SaveAsync(Node node, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            // A run that is slow to die must not hide the one that was started after it.
            $"""
            insert into nodes ({Row<NodeRow>.Columns}) values ({Row<NodeRow>.Parameters})
            on conflict (name) do update set {Row<NodeRow>.Assignments} where nodes.started_at <= @StartedAt
            """,
            NodeRow.From(node), transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public async Task<IReadOnlyList<Node>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<FoundNodeRow>(new CommandDefinition(
            $"select {Row<NodeRow>.Columns}, mode from nodes order by name", cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToNode() with { Mode = Stored.Enum<NodeMode>(row.Mode) })];
    }

    public async Task<bool> SetModeAsync(string name, NodeMode mode, CancellationToken cancellationToken) =>
        Stored.CanHold(name) && await database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
                "update nodes set mode = @mode where name = @name", new { name, mode = mode.Word() }, transaction, cancellationToken: cancellationToken)),
            cancellationToken) > 0;

    public async Task<IReadOnlyDictionary<string, NodeLoad>> MeasureLoadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<LoadRow>(new CommandDefinition(
            $"""
            select node, sum(transfers) as transfers, sum(operations) as operations from (
                select node, 1 as transfers, 0 as operations from transfers where {TransferCatalogue.InWork}
                union all
                select node, 0 as transfers, 1 as operations from store_operations where {StoreOperationCatalogue.NotOver} and node is not null
            ) work group by node
            """,
            cancellationToken: cancellationToken));
        return rows.ToDictionary(r => r.Node, r => new NodeLoad((int)r.Transfers, (int)r.Operations), StringComparer.Ordinal);
    }

    private class NodeRow
    {
        public string Name { get; init; } = "";
        public string Instance { get; init; } = "";
        public string Zone { get; init; } = "";

        /// <summary>A JSON array.</summary>
        public string Roles { get; init; } = "[]";

        public string Address { get; init; } = "";
        public string Version { get; init; } = "";

        /// <summary>A JSON array.</summary>
        public string Stores { get; init; } = "[]";

        public int Cores { get; init; }
        public long Memory { get; init; }
        public string Obeys { get; init; } = "";
        public long StartedAt { get; init; }
        public long Heartbeat { get; init; }

        public static NodeRow From(Node node) => new()
        {
            Name = node.Name,
            Instance = node.Instance,
            Zone = node.Zone,
            Roles = JsonSerializer.Serialize(node.Roles.Select(r => r.Word())),
            Address = node.Address,
            Version = node.Version,
            Stores = JsonSerializer.Serialize(node.Stores),
            Cores = node.Capacity.Cores,
            Memory = node.Capacity.Memory,
            Obeys = node.Obeys.Word(),
            StartedAt = Stored.Micros(node.StartedAt),
            Heartbeat = Stored.Micros(node.Heartbeat),
        };

        public Node ToNode() => new(
            Name, Instance, Zone, [.. JsonSerializer.Deserialize<string[]>(Roles)!.Select(Stored.Enum<NodeRole>)], Address, Version,
            Stored.Time(StartedAt), Stored.Time(Heartbeat))
        {
            Stores = JsonSerializer.Deserialize<string[]>(Stores)!,
            Capacity = new NodeCapacity(Cores, Memory),
            Obeys = Stored.Enum<NodeMode>(Obeys),
        };
    }

    private sealed class FoundNodeRow : NodeRow
    {
        public string Mode { get; init; } = "";
    }

    private sealed class LoadRow
    {
        public string Node { get; init; } = "";
        public long Transfers { get; init; }
        public long Operations { get; init; }
    }
}
