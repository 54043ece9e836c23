using Vitrine.Access;

namespace Vitrine.Quotas;

/// <summary>What may be asked of quotas: administrators set them, and everybody sees his own project's.</summary>
public sealed class ProjectQuotas(IQuotaCatalogue catalogue)
{
    /// <summary>What holds for a project of every resource, and how much of it is used.</summary>
    public async Task<IReadOnlyList<QuotaState>> GetAsync(ProjectId project, Caller caller, CancellationToken cancellationToken)
    {
        if (project != caller.Project)
            caller.RequireAdmin("see the quotas of another project");

        var all = await catalogue.ListAsync(cancellationToken);
        var use = await catalogue.MeasureAsync(project, cancellationToken);
        return [.. Enum.GetValues<QuotaResource>().Select(StateOf)];

        QuotaState StateOf(QuotaResource resource)
        {
            var quota = Holding(all, project, resource);
            return new QuotaState(resource, quota?.Limit ?? Quota.Unlimited, use.Of(resource) / resource.UnitOf(), quota?.Project is not null);
        }
    }

    /// <summary>Those of all projects and of every project; others than administrators see the former and their own.</summary>
    public async Task<IReadOnlyList<Quota>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        [.. (await catalogue.ListAsync(cancellationToken)).Where(q => MaySee(q, caller))];

    /// <exception cref="QuotaNotFoundException">There is none that the caller may know of.</exception>
    public async Task<Quota> FindAsync(string id, Caller caller, CancellationToken cancellationToken) =>
        QuotaId.TryParse(id, out var known) && await catalogue.FindAsync(known, cancellationToken) is { } quota && MaySee(quota, caller)
            ? quota
            : throw new QuotaNotFoundException(id);

    /// <summary>All of them or none.</summary>
    /// <exception cref="QuotaExistsException">There is one already of the same resource for the same project.</exception>
    public async Task CreateAsync(IReadOnlyList<Quota> quotas, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("create a limit");
        await catalogue.AddAsync([.. quotas.Select(Quota.Check)], cancellationToken);
    }

    /// <param name="limit">Null leaves it as it is, as does the next.</param>
    public async Task<Quota> UpdateAsync(string id, long? limit, string? description, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("update a limit");
        var found = await FindAsync(id, caller, cancellationToken);
        var quota = Quota.Check(found with { Limit = limit ?? found.Limit, Description = description ?? found.Description });
        return await catalogue.UpdateAsync(quota, cancellationToken) ? quota : throw new QuotaNotFoundException(id);
    }

    public async Task DeleteAsync(string id, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("delete a limit");
        var quota = await FindAsync(id, caller, cancellationToken);
        await catalogue.DeleteAsync(quota.Id, cancellationToken);
    }

    /// <summary>Sets a limit, whether there is one or not.</summary>
    /// <param name="limit">Null takes a project's own away, so that every project's holds.</param>
    public async Task SetAsync(ProjectId? project, QuotaResource resource, long? limit, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("set a quota");
        var existing = (await catalogue.ListAsync(cancellationToken)).FirstOrDefault(q => q.Project == project && q.Resource == resource);
        await ((existing, limit) switch
        {
            (null, null) => Task.CompletedTask,
            (null, { } most) => CreateAsync([new Quota(QuotaId.New(), project, resource, most, Description: "")], caller, cancellationToken),
            ({ } quota, null) => catalogue.DeleteAsync(quota.Id, cancellationToken),
            ({ } quota, { } most) => UpdateAsync(quota.Id.ToString(), most, description: null, caller, cancellationToken),
        });
    }

    /// <summary>The project's own, or else every project's.</summary>
    private static Quota? Holding(IEnumerable<Quota> all, ProjectId project, QuotaResource resource) => all
        .Where(q => q.Resource == resource && (q.Project is null || q.Project == project))
        .MaxBy(q => q.Project is not null);

    private static bool MaySee(Quota quota, Caller caller) => caller.IsAdmin || quota.Project is null || quota.Project == caller.Project;
}
