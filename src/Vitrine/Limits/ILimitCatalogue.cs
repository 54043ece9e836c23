namespace Vitrine.Limits;

/// <summary>Where it is kept what operators decided of limits.</summary>
public interface ILimitCatalogue
{
    /// <summary>What was decided: null for no limit. Others are as configured.</summary>
    Task<IReadOnlyDictionary<LimitName, long?>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Changes all of them, or none.</summary>
    Task SaveAsync(IReadOnlyCollection<LimitChange> changes, CancellationToken cancellationToken);
}

/// <param name="Value">Null for no limit.</param>
/// <param name="AsConfigured">What was decided is forgotten, and the configuration counts again.</param>
public sealed record LimitChange(LimitName Name, long? Value, bool AsConfigured = false);
