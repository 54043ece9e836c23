namespace Vitrine.Nbd;

/// <summary>What a server has to offer.</summary>
/// <remarks>
/// Names are text of at most 4096 bytes, and mean something to the implementation alone. They may be secrets that grant
/// access, so the server never logs them and compares them only for being equal.
/// </remarks>
public interface INbdExports
{
    /// <summary>Opens an export for one connection, which disposes it.</summary>
    /// <param name="name">As the client sent it. Empty where the client asks for whatever is offered by default.</param>
    /// <returns>Null where there is no such export, or the name does not grant it; clients cannot tell which.</returns>
    /// <exception cref="LibraryException">It is there and cannot be opened. The client is told why.</exception>
    ValueTask<NbdExport?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>What a client may see that asks for everything; nothing where names are secrets.</summary>
    ValueTask<IReadOnlyList<NbdListing>> ListAsync(CancellationToken cancellationToken);
}

/// <param name="Description">A line for people; empty where there is nothing to say.</param>
public sealed record NbdListing(string Name, string Description);
