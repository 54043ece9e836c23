using Npgsql;

namespace Vitrine.Testing;

/// <summary>A real PostgreSQL for the tests of one run, as a fixture of their assembly. It starts when the first test asks for a database.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly Lazy<Task<Dictionary<string, string>>> _started = new(() => ServerScript.StartAsync("postgres-up"));

    /// <returns>The connection string of an empty database that no other test uses.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var server = (await _started.Value)["PG_CONNECTION"];
        var name = $"test_{Guid.NewGuid():N}";
        await using var source = NpgsqlDataSource.Create(server + ";Pooling=false");
        await using var command = source.CreateCommand($"create database {name}");
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new NpgsqlConnectionStringBuilder(server) { Database = name, IncludeErrorDetail = true }.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
            await ServerScript.RunAsync("postgres-down", (await _started.Value)["PG_DIR"]);
    }
}
