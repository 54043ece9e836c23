using System.Data.Common;
using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Quotas;

namespace Vitrine.Catalogue.Quotas;

/// <summary>Holds one change against the quotas of its project, within the transaction that makes it.</summary>
/// <remarks>
/// What is measured is what the tables say before and after the change, not what somebody expects of it. Of changes that are made at
/// once the second waits for the first at its very beginning, before it holds anything that another waits for.
/// </remarks>
internal sealed class QuotaGuard
{
    private readonly DbTransaction _transaction;
    private readonly ProjectId _project;
    private readonly IReadOnlyList<QuotaRow> _limits;
    private readonly QuotaUse _before;

    private QuotaGuard(DbTransaction transaction, ProjectId project, IReadOnlyList<QuotaRow> limits, QuotaUse before) =>
        (_transaction, _project, _limits, _before) = (transaction, project, limits, before);

    /// <returns>Null where nothing limits the change.</returns>
    public static async Task<QuotaGuard?> BeginAsync(CatalogueChange change, DbTransaction transaction, CancellationToken cancellationToken)
    {
        if (change.Within.Count == 0 || await FindProjectAsync(change, transaction, cancellationToken) is not { } project)
            return null;

        var limits = await FindLimitsAsync(project, change.Within, transaction, cancellationToken);
        if (limits.Count == 0)
            return null;

        await transaction.Connection!.ExecuteAsync(new CommandDefinition(
            "insert into quota_turns (project) values (@project) on conflict (project) do update set project = excluded.project",
            new { project = project.Value }, transaction, cancellationToken: cancellationToken));
        return new QuotaGuard(
            transaction, project, limits, await QuotaMeasure.TakeAsync(transaction.Connection!, transaction, project.Value, cancellationToken));
    }

    /// <exception cref="QuotaExceededException">The project has too much of something, and more than before.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var after = await QuotaMeasure.TakeAsync(_transaction.Connection!, _transaction, _project.Value, cancellationToken);
        foreach (var limit in _limits)
        {
            var resource = Stored.Enum<QuotaResource>(limit.Resource);
            var (had, has, unit) = (_before.Of(resource), after.Of(resource), resource.UnitOf());
            if (has > had && has > limit.Most * unit)
                throw new QuotaExceededException(_project, resource, limit.Most, had / unit, (has - had + unit - 1) / unit);
        }
    }

    /// <summary>What comes is the image's, whose owner may be another by now than the one for whom the transfer was begun.</summary>
    private static async Task<ProjectId?> FindProjectAsync(CatalogueChange change, DbTransaction transaction, CancellationToken cancellationToken)
    {
        if (change.Image is { } image)
            return image.Owner;
        if (change.Transfers is not [var transfer, ..])
            return null;

        var owner = await transaction.Connection!.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
            "select owner from images where id = @id", new { id = transfer.Image.ToString() }, transaction, cancellationToken: cancellationToken));
        return owner is null ? null : new ProjectId(owner);
    }

    private static async Task<IReadOnlyList<QuotaRow>> FindLimitsAsync(
        ProjectId project, IReadOnlyList<QuotaResource> resources, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = await transaction.Connection!.QueryAsync<QuotaRow>(new CommandDefinition(
            $"select {Row<QuotaRow>.Columns} from quotas where project = @project or project = @everyProject",
            new { project = project.Value, everyProject = QuotaRow.EveryProject }, transaction, cancellationToken: cancellationToken));
        var words = resources.Select(r => r.Word()).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. rows.Where(r => words.Contains(r.Resource))
                .GroupBy(r => r.Resource, (_, same) => same.MaxBy(r => r.Project.Length)!)
                .Where(r => r.Most != Quota.Unlimited),
        ];
    }
}
