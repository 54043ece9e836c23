using System.Diagnostics;
using Npgsql;

namespace Vitrine.Testing;

/// <summary>A real PostgreSQL for the tests of one run, as a fixture of their assembly. It starts when the first test asks for a database.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly Lazy<Task<Dictionary<string, string>>> _started = new(StartAsync);

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
            await RunAsync("postgres-down", (await _started.Value)["PG_DIR"]);
    }

    // If this process is killed, the script stops the server.
    private static async Task<Dictionary<string, string>> StartAsync() =>
        (await RunAsync("postgres-up", "--while", Environment.ProcessId.ToString()))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1].Trim('\''));

    private static async Task<string> RunAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(FindServers(), script), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{script} failed: {await errors}");
    }

    private static string FindServers()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Vitrine.slnx")))
            directory = directory.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");

        return Path.Combine(directory.FullName, "tests", "servers");
    }
}
