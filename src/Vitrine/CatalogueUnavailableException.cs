using System.Data.Common;

namespace Vitrine;

/// <summary>The database of the catalogue does not answer, or takes nothing for the moment: it restarts, or another server takes its place.</summary>
public sealed class CatalogueUnavailableException(Exception inner) : LibraryException("The catalogue does not answer.", inner)
{
    // The classes of SQLSTATE for connections, resources, the operator's doing and the machine, and a server that is not the primary any more.
    private static readonly string[] PassingStates = ["08", "53", "57P", "58", "25006"];

    public override string Code => "catalogue-unavailable";

    public override string Remedy => "Nothing is lost: try again in a moment. If it lasts, look at the database and at the way to it (vitrine doctor).";

    /// <summary>Reads what a database says of a failure.</summary>
    /// <returns>Null where it is none of a database, or a fault of ours.</returns>
    public static CatalogueUnavailableException? From(Exception failure) => failure switch
    {
        CatalogueUnavailableException known => known,
        DbException { IsTransient: true } passing => new CatalogueUnavailableException(passing),
        DbException { SqlState: { } state } said when PassingStates.Any(s => state.StartsWith(s, StringComparison.Ordinal)) =>
            new CatalogueUnavailableException(said),

        // The connection failed, not a statement.
        DbException { SqlState: null, InnerException: not null } broken => new CatalogueUnavailableException(broken),
        _ => null,
    };
}
