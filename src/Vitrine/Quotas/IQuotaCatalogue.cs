using Vitrine.Access;

namespace Vitrine.Quotas;

/// <summary>Where quotas are kept. <see cref="ICatalogue"/> holds changes against them, by <see cref="CatalogueChange.Within"/>.</summary>
public interface IQuotaCatalogue
{
    Task<Quota?> FindAsync(QuotaId id, CancellationToken cancellationToken);

    /// <summary>All of them, in the order in which they were made.</summary>
    Task<IReadOnlyList<Quota>> ListAsync(CancellationToken cancellationToken);

    /// <exception cref="QuotaExistsException">There is one of the resource for the project; none was added.</exception>
    Task AddAsync(IReadOnlyList<Quota> quotas, CancellationToken cancellationToken);

    /// <summary>Puts the limit and the description in the place of those that it had.</summary>
    /// <returns>False where there is none with this id.</returns>
    Task<bool> UpdateAsync(Quota quota, CancellationToken cancellationToken);

    /// <returns>False where there was none.</returns>
    Task<bool> DeleteAsync(QuotaId id, CancellationToken cancellationToken);

    Task<QuotaUse> MeasureAsync(ProjectId project, CancellationToken cancellationToken);
}
