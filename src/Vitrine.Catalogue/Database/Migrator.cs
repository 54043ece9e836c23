using System.Data.Common;
using System.Globalization;
using System.Reflection;
using Dapper;

namespace Vitrine.Catalogue.Database;

/// <summary>Brings the database to the shape that this version of the program expects.</summary>
/// <remarks>
/// The migrations are the files <c>Migrations/NNNN-name.sql</c>, applied in the order of their numbers, all in one transaction
/// and by one node at a time. A file that was released is never changed: a further change is a further file.
/// </remarks>
internal sealed class Migrator(CatalogueDatabase database)
{
    private const string Folder = ".Migrations.";

    /// <exception cref="CatalogueTooNewException">A newer version of the program has used this database.</exception>
    public Task MigrateAsync(CancellationToken cancellationToken) => MigrateAsync(_ => true, cancellationToken);

    /// <param name="isWanted">By their numbers, the migrations that are applied: what an earlier release knew.</param>
    internal Task MigrateAsync(Predicate<int> isWanted, CancellationToken cancellationToken) => database.WriteAsync(
        async (connection, transaction) =>
        {
            await database.Dialect.LockAsync(DatabaseLock.Migrations, transaction, cancellationToken);
            var applied = await ReadAppliedAsync(transaction, cancellationToken);
            var known = Known();
            RefuseNewer(applied, known);
            foreach (var migration in known.Where(m => isWanted(m.Number) && !applied.Contains(m.Name)))
                await ApplyAsync(migration, transaction, cancellationToken);
        },
        cancellationToken);

    private static async Task<HashSet<string>> ReadAppliedAsync(DbTransaction transaction, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        await connection.ExecuteAsync(new CommandDefinition(
            "create table if not exists migrations (name text not null primary key)",
            transaction: transaction, cancellationToken: cancellationToken));
        return [.. await connection.QueryAsync<string>(new CommandDefinition(
            "select name from migrations", transaction: transaction, cancellationToken: cancellationToken))];
    }

    private static List<Migration> Known()
    {
        var assembly = typeof(Migrator).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(resource => resource.Contains(Folder, StringComparison.Ordinal))
            .Select(resource => new Migration(NameOf(resource), resource))
            .OrderBy(migration => migration.Number)];
    }

    private static string NameOf(string resource)
    {
        var file = resource.IndexOf(Folder, StringComparison.Ordinal) + Folder.Length;
        return Path.GetFileNameWithoutExtension(resource[file..]);
    }

    private static void RefuseNewer(IEnumerable<string> applied, IEnumerable<Migration> known)
    {
        var unknown = applied.Except(known.Select(m => m.Name), StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
            throw new CatalogueTooNewException(unknown);
    }

    private async Task ApplyAsync(Migration migration, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        await connection.ExecuteAsync(new CommandDefinition(
            database.Dialect.Translate(migration.ReadText()), transaction: transaction, cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new CommandDefinition(
            "insert into migrations (name) values (@Name)", new { migration.Name }, transaction, cancellationToken: cancellationToken));
    }

    private sealed record Migration(string Name, string Resource)
    {
        public int Number => int.Parse(Name[..Name.IndexOf('-', StringComparison.Ordinal)], CultureInfo.InvariantCulture);

        public string ReadText()
        {
            using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)!);
            return reader.ReadToEnd();
        }
    }
}

/// <summary>A newer version of the program has changed the database in ways that this one does not know.</summary>
public sealed class CatalogueTooNewException(IReadOnlyCollection<string> migrations)
    : LibraryException($"The catalogue was changed by a newer version of this program ({string.Join(", ", migrations)}).")
{
    /// <summary>What was done to the database that this version does not know.</summary>
    public IReadOnlyCollection<string> Migrations { get; } = migrations;

    public override string Code => "catalogue-too-new";

    public override string Remedy => "Start the newer version, or restore the backup from before it.";
}
