using System.Data.Common;
using Dapper;

namespace Vitrine.Catalogue.Database;

/// <summary>The database that keeps the catalogue: hands out connections to read by, and runs what writes.</summary>
internal sealed class CatalogueDatabase(Dialect dialect) : IAsyncDisposable
{
    private const int Attempts = 10;

    static CatalogueDatabase() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    public Dialect Dialect { get; } = dialect;

    /// <summary>For reading. Each statement sees what is committed when it begins.</summary>
    public Task<DbConnection> OpenAsync(CancellationToken cancellationToken) => Dialect.OpenAsync(cancellationToken);

    /// <summary>Runs the work in one transaction and commits it; what the work throws undoes all of it.</summary>
    /// <param name="work">Is run again where another transaction got in its way, so it changes nothing but the database.</param>
    public async Task<T> WriteAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await WriteOnceAsync(work, cancellationToken);
            }
            catch (DbException error) when (attempt < Attempts && Dialect.MayPass(error))
            {
                // Nothing was changed, and the transaction that was in the way has got through.
            }
        }
    }

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<DbConnection, DbTransaction, Task> work, CancellationToken cancellationToken) =>
        WriteAsync(
            async (connection, transaction) =>
            {
                await work(connection, transaction);
                return true;
            },
            cancellationToken);

    public ValueTask DisposeAsync() => Dialect.DisposeAsync();

    private async Task<T> WriteOnceAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        using var turn = await Dialect.TakeTurnAsync(cancellationToken);
        await using var connection = await OpenAsync(cancellationToken);
        await using var transaction = await Dialect.BeginAsync(connection, cancellationToken);
        var result = await work(connection, transaction);

        // Of a commit that was broken off nobody could say whether it happened.
        await transaction.CommitAsync(CancellationToken.None);
        return result;
    }
}
