namespace Vitrine.Testing;

/// <summary>Two real PostgreSQL servers, of which the second follows the first, for one test: what has failed over once is not set up again.</summary>
public sealed class PostgresPair : IAsyncDisposable
{
    private readonly string _directory;

    private PostgresPair(Dictionary<string, string> facts) => (_directory, ConnectionString) = (facts["PG_DIR"], facts["PG_CONNECTION"]);

    /// <summary>Names both hosts, as an operator would write it.</summary>
    public string ConnectionString { get; }

    public static async Task<PostgresPair> StartAsync() => new(await ServerScript.StartAsync("postgres-ha-up"));

    /// <summary>The primary dies as by a power cut, and the other takes its place.</summary>
    public Task FailOverAsync() => ServerScript.RunAsync("postgres-ha-ctl", _directory, "fail-over");

    public async ValueTask DisposeAsync() => await ServerScript.RunAsync("postgres-down", _directory);
}
