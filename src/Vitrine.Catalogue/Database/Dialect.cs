using System.Data.Common;
using Microsoft.Extensions.Options;

namespace Vitrine.Catalogue.Database;

/// <summary>All in which one database differs from another; every statement outside is the same text for each.</summary>
internal abstract class Dialect : IAsyncDisposable
{
    /// <summary>Chooses by the words of the connection string.</summary>
    /// <exception cref="OptionsValidationException">The text is no connection string for a database that is known here.</exception>
    public static Dialect For(string connectionString)
    {
        try
        {
            var words = new DbConnectionStringBuilder { ConnectionString = connectionString };
            if (SqliteDialect.Understands(words))
                return new SqliteDialect(connectionString);
            if (PostgresDialect.Understands(words))
                return new PostgresDialect(connectionString);
        }
        catch (ArgumentException error)
        {
            throw Refused(error.Message);
        }

        throw Refused("it names no database; write Data Source=FILE for SQLite or Host=NAME;Database=NAME;… for PostgreSQL");
    }

    public abstract Task<DbConnection> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Waits until this process may write. Disposing the answer lets the next one in.</summary>
    public abstract Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken);

    /// <summary>Begins a transaction that writes.</summary>
    public abstract Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken);

    /// <summary>True where the transaction lost against another, so that the same one may succeed right now.</summary>
    public abstract bool MayPass(DbException error);

    /// <summary>True where the statement failed because it would have broken the rule.</summary>
    public abstract bool Breaks(DbException error, UniqueRule rule);

    /// <summary>Waits until no other transaction has the lock, and keeps it until this one ends.</summary>
    public abstract Task LockAsync(DatabaseLock which, DbTransaction transaction, CancellationToken cancellationToken);

    /// <summary>The text of a migration in this dialect.</summary>
    /// <remarks>
    /// <c>{ordered-text}</c> is text that is compared byte by byte, so that each database sorts it alike. <c>{counted}</c> is a key that the database counts
    /// up, <c>{transaction}</c> the number of the transaction that writes the row.
    /// </remarks>
    public abstract string Translate(string migration);

    /// <summary>A condition: the column has one of the values of a list parameter.</summary>
    public abstract string In(string column, string parameter);

    /// <summary>A condition: the parameter's text is part of the column's.</summary>
    public abstract string Contains(string column, string parameter);

    /// <summary>The database's own time at this moment, in microseconds since 1970.</summary>
    public abstract string Now { get; }

    /// <summary>An aggregate: the values as a JSON array in text.</summary>
    public abstract string JsonArray(string value);

    /// <summary>An aggregate: the pairs as a JSON object in text.</summary>
    public abstract string JsonObject(string key, string value);

    /// <summary>After a SELECT: keeps its rows from being changed by others until the transaction ends.</summary>
    public abstract string ForUpdate { get; }

    /// <summary>The type of numbers of transactions.</summary>
    public abstract string TransactionType { get; }

    /// <summary>A condition: no transaction that is still open has a number as low as the column's.</summary>
    public abstract string Settled(string column);

    /// <summary>The statement that has the commit of its transaction wake those who wait on any node; null where <see cref="GiveNotice"/> is enough.</summary>
    public abstract string? Notice { get; }

    /// <summary>Wakes who waits in this process.</summary>
    public abstract void GiveNotice();

    /// <summary>Waits for a notice, but no longer than so long. One caller at a time; a notice that came between two calls ends the second.</summary>
    public abstract Task WaitForNoticeAsync(TimeSpan atMost, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();

    private protected static OptionsValidationException Refused(string reason) =>
        new(nameof(CatalogueOptions), typeof(CatalogueOptions), [$"The catalogue's ConnectionString cannot be used: {reason}."]);
}

/// <summary>What one transaction at a time does, on all nodes together. The values are as no other program on the same database has them.</summary>
internal enum DatabaseLock : long
{
    Migrations = 0x7669_7472_696e_6531,

    /// <summary>Counts transfers that run, and takes one more.</summary>
    Takings = 0x7669_7472_696e_6532,

    /// <summary>Counts uploads that are not over, and begins one more.</summary>
    Uploads = 0x7669_7472_696e_6533,
}

/// <summary>A unique constraint or index, as PostgreSQL names it and as SQLite lists it.</summary>
/// <param name="Name">As <c>images_pkey</c>.</param>
/// <param name="Columns">As <c>images.id</c>, joined by commas and spaces.</param>
internal sealed record UniqueRule(string Name, string Columns);
