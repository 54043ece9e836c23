using System.Data;
using System.Data.Common;
using Dapper;
using Npgsql;

namespace Vitrine.Catalogue.Database;

/// <summary>PostgreSQL, one server or several of which one is the primary.</summary>
internal sealed class PostgresDialect : Dialect
{
    private const string NoticeChannel = "vitrine_events";

    // The driver takes none at all for waiting without end.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    private readonly NpgsqlDataSource _source;
    private NpgsqlConnection? _listener;

    public PostgresDialect(string connectionString) => _source = NpgsqlDataSource.Create(Complete(connectionString));

    public static bool Understands(DbConnectionStringBuilder words) => words.ContainsKey("Host") || words.ContainsKey("Server");

    /// <summary>Says for several hosts what is right for every catalogue and what an operator would not think of.</summary>
    internal static string Complete(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        builder.ApplicationName ??= "vitrine";
        if (string.IsNullOrEmpty(builder.Database) && string.IsNullOrEmpty(builder.Username))
            throw Refused("for PostgreSQL it needs Database and Username");

        if (builder.Host?.Contains(',', StringComparison.Ordinal) == true)
        {
            builder.TargetSessionAttributes ??= "primary";
            // The driver believes for 10 seconds what it learnt about a host, which is how long a failover would take.
            if (!builder.ShouldSerialize("Host Recheck Seconds"))
                builder.HostRecheckSeconds = 1;
        }

        return builder.ToString();
    }

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _source.OpenConnectionAsync(cancellationToken);
        }
        catch (NpgsqlException failure)
        {
            // Where none of several hosts will do, the driver says so without a cause or a state.
            throw new CatalogueUnavailableException(failure);
        }
    }

    // The server orders its writers.
    public override Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken) => Task.FromResult<IDisposable>(NoTurn.Instance);

    public override async Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken) =>
        await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);

    public override bool MayPass(DbException error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    public override bool Breaks(DbException error, UniqueRule rule) =>
        error is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } violation && violation.ConstraintName == rule.Name;

    public override Task LockAsync(DatabaseLock which, DbTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection!.ExecuteAsync(new CommandDefinition(
            "select pg_advisory_xact_lock(@key)", new { key = (long)which }, transaction, cancellationToken: cancellationToken));

    public override string Translate(string migration) =>
        migration
        .Replace("{ordered-text}", "text collate \"C\"", StringComparison.Ordinal)
        .Replace("{counted}", "bigint generated always as identity primary key", StringComparison.Ordinal)
        .Replace("{transaction}", "xid8 not null default pg_current_xact_id()", StringComparison.Ordinal);

    public override string In(string column, string parameter) => $"{column} = any({parameter})";

    public override string Contains(string column, string parameter) => $"strpos({column}, {parameter}) > 0";

    public override string Now => "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)";

    public override string JsonArray(string value) => $"json_agg({value})::text";

    public override string JsonObject(string key, string value) => $"json_object_agg({key}, {value})::text";

    public override string ForUpdate => "for update";

    public override string TransactionType => "xid8";

    public override string Settled(string column) => $"{column} < pg_snapshot_xmin(pg_current_snapshot())";

    public override string? Notice => $"select pg_notify('{NoticeChannel}', '')";

    public override void GiveNotice()
    {
        // The server does, here as on every node.
    }

    public override async Task WaitForNoticeAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            _listener ??= await ListenAsync(cancellationToken);
            await _listener.WaitAsync(atMost > ShortestWait ? atMost : ShortestWait, cancellationToken);
        }
        catch
        {
            if (_listener is { } broken)
                await broken.DisposeAsync();
            _listener = null;
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_listener is { } listener)
            await listener.DisposeAsync();
        await _source.DisposeAsync();
    }

    private async Task<NpgsqlConnection> ListenAsync(CancellationToken cancellationToken)
    {
        var listener = await _source.OpenConnectionAsync(cancellationToken);
        await listener.ExecuteAsync(new CommandDefinition($"listen {NoticeChannel}", cancellationToken: cancellationToken));
        return listener;
    }

    private sealed class NoTurn : IDisposable
    {
        public static readonly NoTurn Instance = new();

        public void Dispose()
        {
        }
    }
}
