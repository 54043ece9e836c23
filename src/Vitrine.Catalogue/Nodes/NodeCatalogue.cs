using System.Text.Json;
using Dapper;
using Vitrine.Catalogue.Database;
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
        var rows = await connection.QueryAsync<NodeRow>(new CommandDefinition(
            $"select {Row<NodeRow>.Columns} from nodes order by name", cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToNode())];
    }

    private sealed class NodeRow
    {
        public string Name { get; init; } = "";
        public string Instance { get; init; } = "";
        public string Zone { get; init; } = "";

        /// <summary>A JSON array.</summary>
        public string Roles { get; init; } = "[]";

        public string Address { get; init; } = "";
        public string Version { get; init; } = "";
        public long StartedAt { get; init; }
        public long Heartbeat { get; init; }

        public static NodeRow From(Node node) => new()
        {
            Name = node.Name,
            Instance = node.Instance,
            Zone = node.Zone,
            Roles = JsonSerializer.Serialize(node.Roles),
            Address = node.Address,
            Version = node.Version,
            StartedAt = Stored.Micros(node.StartedAt),
            Heartbeat = Stored.Micros(node.Heartbeat),
        };

        public Node ToNode() => new(
            Name, Instance, Zone, JsonSerializer.Deserialize<string[]>(Roles)!, Address, Version,
            Stored.Time(StartedAt), Stored.Time(Heartbeat));
    }
}
