using System.Data.Common;
using Vitrine.Catalogue.Database;

namespace Vitrine.Catalogue;

/// <summary>Where the catalogue is kept.</summary>
public sealed class CatalogueOptions
{
    /// <summary>
    /// <c>Data Source=/var/lib/vitrine/catalogue.db</c> keeps the catalogue in a file, for one node; its directory must exist.
    /// <c>Host=db1,db2;Database=vitrine;Username=…;Password=…</c> keeps it in PostgreSQL 12 or later, for any number of nodes;
    /// of several hosts, the one that is the primary is used. What else may be said is documented for Microsoft.Data.Sqlite
    /// and for Npgsql.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>The same with what an operator would not think of where there are several hosts, for others who use the same database.</summary>
    public string Completed => PostgresDialect.Understands(new DbConnectionStringBuilder { ConnectionString = ConnectionString })
        ? PostgresDialect.Complete(ConnectionString)
        : ConnectionString;
}
