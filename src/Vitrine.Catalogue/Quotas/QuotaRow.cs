using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Quotas;

namespace Vitrine.Catalogue.Quotas;

/// <summary>A quota as its table has it.</summary>
internal sealed class QuotaRow
{
    /// <summary>The project of those that are every project's.</summary>
    public const string EveryProject = "";

    public string Id { get; init; } = "";
    public string Project { get; init; } = EveryProject;
    public string Resource { get; init; } = "";
    public long Most { get; init; }
    public string Description { get; init; } = "";

    public static QuotaRow From(Quota quota) => new()
    {
        Id = quota.Id.ToString(),
        Project = quota.Project?.Value ?? EveryProject,
        Resource = quota.Resource.Word(),
        Most = quota.Limit,
        Description = quota.Description,
    };

    public Quota ToQuota() => new(
        QuotaId.Parse(Id), Project == EveryProject ? null : new ProjectId(Project), Stored.Enum<QuotaResource>(Resource), Most, Description);
}
