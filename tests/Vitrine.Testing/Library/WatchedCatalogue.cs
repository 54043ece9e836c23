using Vitrine.Limits;
using Vitrine.Transfers;

namespace Vitrine.Testing.Library;

/// <summary>A catalogue around a catalogue that tells of each change before and after it is stored; either may throw.</summary>
public sealed class WatchedCatalogue(ICatalogue inner) : ICatalogue
{
    public Func<CatalogueChange, Task> Before { get; set; } = _ => Task.CompletedTask;
    public Func<CatalogueChange, Task> After { get; set; } = _ => Task.CompletedTask;

    public async Task SaveAsync(CatalogueChange change, CancellationToken cancellationToken)
    {
        await Before(change);
        await inner.SaveAsync(change, cancellationToken);
        await After(change);
    }

    public async Task<ReachedLimit?> TryTakeAsync(Transfer taken, LibraryLimits limits, CancellationToken cancellationToken)
    {
        var change = new CatalogueChange { Transfers = [taken] };
        await Before(change);
        var reached = await inner.TryTakeAsync(taken, limits, cancellationToken);
        if (reached is null)
            await After(change);
        return reached;
    }
}

public static class CatalogueChanges
{
    /// <summary>The transfer that a change is about; null where it is about none.</summary>
    public static Transfer? Moving(this CatalogueChange change) => change.Transfers is [var first, ..] ? first : null;
}
