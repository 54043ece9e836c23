using Vitrine.Access;

namespace Vitrine.Limits;

/// <summary>Limits as they are now, and their change while the library runs.</summary>
public sealed class LimitDesk(ILimitCatalogue catalogue, LibraryOptions options)
{
    public async Task<LibraryLimits> ReadAsync(CancellationToken cancellationToken) =>
        new(await catalogue.ListAsync(cancellationToken), options);

    public Task<LibraryLimits> ReadAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("look at limits");
        return ReadAsync(cancellationToken);
    }

    /// <summary>Changes limits for all nodes. What runs goes on; what waits begins within a heartbeat.</summary>
    /// <exception cref="InvalidFieldException">A value is none that its limit can have.</exception>
    public async Task<LibraryLimits> ChangeAsync(IReadOnlyCollection<LimitChange> changes, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("change limits");
        foreach (var change in changes.Where(c => !c.AsConfigured))
            change.Name.Check(change.Value);

        await catalogue.SaveAsync(changes, cancellationToken);
        return await ReadAsync(cancellationToken);
    }
}
