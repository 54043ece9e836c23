using System.Data.Common;
using Dapper;
using Vitrine.Quotas;

namespace Vitrine.Catalogue.Quotas;

/// <summary>How much a project has, as the tables say it at this moment.</summary>
internal static class QuotaMeasure
{
    // Of a transfer that is not over counts what was announced, so that uploads at once cannot promise more than there is room for,
    // or what has come where that is more. What is staged has been given no place among the images yet.
    private const string Statement = $"""
        select
            (select count(*) from images where owner = @project and status <> 'deleted') as images,
            (select count(*) from images where owner = @project and (status in ('saving', 'importing', 'staged')
                or (status = 'active' and exists (
                    select 1 from transfers where image = images.id and kind = 'copy' and requested_by is not null and operation is null
                        and state not in ('done', 'failed', 'cancelled'))))) as uploading,
            (select cast(coalesce(sum(replicas.size), 0) as bigint) from replicas join images on images.id = replicas.image
                where images.owner = @project and images.status <> 'deleted' and replicas.state = 'ready') as stored,
            (select {UnderWay} and images.status <> 'staged') as coming,
            (select {UnderWay} and images.status in ('staged', 'importing')) as staged
        """;

    private const string UnderWay = """
        cast(coalesce(sum(case when transfers.length > transfers.moved then transfers.length else transfers.moved end), 0) as bigint)
            from transfers join images on images.id = transfers.image
            where images.owner = @project and images.status <> 'deleted' and transfers.state not in ('done', 'failed', 'cancelled')
        """;

    public static async Task<QuotaUse> TakeAsync(
        DbConnection connection, DbTransaction? transaction, string project, CancellationToken cancellationToken)
    {
        var row = await connection.QuerySingleAsync<MeasureRow>(
            new CommandDefinition(Statement, new { project }, transaction, cancellationToken: cancellationToken));
        return new QuotaUse(row.Stored + row.Coming, row.Staged, row.Images, row.Uploading);
    }

    private sealed class MeasureRow
    {
        public long Images { get; init; }
        public long Uploading { get; init; }
        public long Stored { get; init; }
        public long Coming { get; init; }
        public long Staged { get; init; }
    }
}
