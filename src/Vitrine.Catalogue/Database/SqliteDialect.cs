using System.Data;
using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Vitrine.Catalogue.Database;

/// <summary>SQLite in a file of its own, used by this process alone or nearly so.</summary>
internal sealed class SqliteDialect : Dialect
{
    private const int Busy = 5; // SQLITE_BUSY
    private const int UniqueViolated = 2067; // SQLITE_CONSTRAINT_UNIQUE
    private const int PrimaryKeyViolated = 1555; // SQLITE_CONSTRAINT_PRIMARYKEY

    // In seconds, for other processes that write to the file, such as a backup; our own writers take turns.
    private const int PatienceWithOthers = 10;

    private readonly string _connectionString;
    private readonly string _settings;
    private readonly string _file;
    private readonly SemaphoreSlim _writer = new(1);
    private readonly SemaphoreSlim _notices = new(0);

    public SqliteDialect(string connectionString)
    {
        SqliteNative.Use();
        var builder = new SqliteConnectionStringBuilder(connectionString);
        if (builder.Mode is SqliteOpenMode.Memory || builder.DataSource is "" or ":memory:")
            throw Refused("a catalogue in memory would be gone with the process; name a file");

        _file = Path.GetFullPath(builder.DataSource);
        var directory = Path.GetDirectoryName(_file);
        if (!Directory.Exists(directory))
            throw Refused($"the directory {directory} does not exist");

        builder.ForeignKeys = true;
        if (!builder.ShouldSerialize("Default Timeout"))
            builder.DefaultTimeout = PatienceWithOthers;

        // WAL lets readers go on while one writes. FULL syncs the log at each commit: what was acknowledged survives a power cut.
        _settings = $"pragma busy_timeout = {builder.DefaultTimeout * 1000}; pragma journal_mode = wal; pragma synchronous = full;";
        _connectionString = builder.ToString();
    }

    public static bool Understands(DbConnectionStringBuilder words) =>
        words.ContainsKey("Data Source") || words.ContainsKey("DataSource") || words.ContainsKey("Filename");

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(_file))
            CreateFile();

        var connection = new SqliteConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await connection.ExecuteAsync(new CommandDefinition(_settings, cancellationToken: cancellationToken));
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        return new Turn(_writer);
    }

    // A deferred transaction that reads first and then wants to write can be refused for what others wrote in between.
    public override Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(IsolationLevel.Serializable, deferred: false));
        }
        catch (SqliteException busy) when (busy.SqliteErrorCode is Busy)
        {
            throw new CatalogueUnavailableException(busy);
        }
    }

    // Whoever writes has been alone since it began.
    public override bool MayPass(DbException error) => false;

    public override bool Breaks(DbException error, UniqueRule rule) =>
        error is SqliteException { SqliteExtendedErrorCode: UniqueViolated or PrimaryKeyViolated }
        && error.Message.Contains($"UNIQUE constraint failed: {rule.Columns}'", StringComparison.Ordinal);

    // The transaction is the only one that writes.
    public override Task LockAsync(DatabaseLock which, DbTransaction transaction, CancellationToken cancellationToken) => Task.CompletedTask;

    public override string Translate(string migration) => migration
        .Replace("{ordered-text}", "text", StringComparison.Ordinal)
        .Replace("{counted}", "integer not null primary key autoincrement", StringComparison.Ordinal)
        .Replace("{transaction}", "integer not null default 0", StringComparison.Ordinal);

    public override string In(string column, string parameter) => $"{column} in {parameter}";

    public override string Contains(string column, string parameter) => $"instr({column}, {parameter}) > 0";

    public override string Now => "cast((julianday('now') - 2440587.5) * 86400000000 as integer)";

    public override string JsonArray(string value) => $"json_group_array({value})";

    public override string JsonObject(string key, string value) => $"json_group_object({key}, {value})";

    public override string ForUpdate => "";

    // One transaction writes at a time, so what can be read is settled, and the keys count in the order of the commits.
    public override string TransactionType => "integer";

    public override string Settled(string column) => "1 = 1";

    public override string? Notice => null;

    public override void GiveNotice()
    {
        lock (_notices)
        {
            if (_notices.CurrentCount == 0)
                _notices.Release();
        }
    }

    public override Task WaitForNoticeAsync(TimeSpan atMost, CancellationToken cancellationToken) => _notices.WaitAsync(atMost, cancellationToken);

    public override ValueTask DisposeAsync()
    {
        using var connection = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(connection);
        _writer.Dispose();
        _notices.Dispose();
        return ValueTask.CompletedTask;
    }

    // SQLite would let everybody on the machine read the file. What it puts beside the file gets the file's rights.
    private void CreateFile()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            new FileStream(_file, options).Dispose();
        }
        catch (IOException) when (File.Exists(_file))
        {
            // Somebody else was quicker, and it is as private.
        }
    }

    private sealed class Turn(SemaphoreSlim writer) : IDisposable
    {
        public void Dispose() => writer.Release();
    }
}
