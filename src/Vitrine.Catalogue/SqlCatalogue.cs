using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Events;
using Vitrine.Catalogue.Images;
using Vitrine.Catalogue.Quotas;
using Vitrine.Catalogue.Stores;
using Vitrine.Catalogue.Transfers;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Transfers;

namespace Vitrine.Catalogue;

/// <summary>Changes of the library in the database.</summary>
internal sealed class SqlCatalogue(CatalogueDatabase database, IImageCatalogue images) : ICatalogue
{
    private static readonly string PutReplica = $"""
        insert into replicas ({Row<ReplicaRow>.Columns}) values ({Row<ReplicaRow>.Parameters})
        on conflict (image, store) do update set {Row<ReplicaRow>.Assignments}
        """;

    public async Task SaveAsync(CatalogueChange change, CancellationToken cancellationToken)
    {
        while (!await TrySaveAsync(change, cancellationToken))
        {
            // The image with the same source was deleted or failed between the refusal and the question which one it is.
        }
    }

    public async Task<ReachedLimit?> TryTakeAsync(Transfer taken, LibraryLimits limits, CancellationToken cancellationToken)
    {
        var reached = await database.WriteAsync(
            async (_, transaction) =>
            {
                await database.Dialect.LockAsync(DatabaseLock.Takings, transaction, cancellationToken);
                var reached = TransferRoom.Reached(await CountAsync(taken, transaction, cancellationToken), limits);
                if (reached is null)
                    await WriteRecordsAsync(new CatalogueChange { Transfers = [taken] }, transaction, cancellationToken);
                return reached;
            },
            cancellationToken);
        if (reached is null)
            database.Dialect.GiveNotice();
        return reached;
    }

    private static async Task<TransferCounts> CountAsync(Transfer taken, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var counts = await transaction.Connection!.QuerySingleAsync<CountsRow>(new CommandDefinition(
            $"""
            select coalesce(sum(case when node = @node then 1 else 0 end), 0) as node,
                coalesce(sum(case when source_host = @host then 1 else 0 end), 0) as source,
                coalesce(sum(case when project = @project then 1 else 0 end), 0) as project
            from transfers where {TransferCatalogue.InWorkAndLimited} and id <> @id
            """,
            new { id = taken.Id.ToString(), node = taken.Node, host = taken.SourceHost, project = taken.Project.Value },
            transaction, cancellationToken: cancellationToken));
        return new TransferCounts(counts.Node, counts.Source, counts.Project);
    }

    private async Task CheckUploadsAsync(Transfer upload, long most, DbTransaction transaction, CancellationToken cancellationToken)
    {
        await database.Dialect.LockAsync(DatabaseLock.Uploads, transaction, cancellationToken);
        var open = await transaction.Connection!.ExecuteScalarAsync<long>(new CommandDefinition(
            $"select count(*) from transfers where {TransferCatalogue.NotOver} and kind = 'upload' and project = @project",
            new { project = upload.Project.Value }, transaction, cancellationToken: cancellationToken));
        if (open >= most)
            throw new TooManyUploadsException(most);
    }

    private async Task<bool> TrySaveAsync(CatalogueChange change, CancellationToken cancellationToken)
    {
        try
        {
            if (await database.WriteAsync((_, transaction) => WriteAsync(change, transaction, cancellationToken), cancellationToken) > 0)
                database.Dialect.GiveNotice();
            return true;
        }
        catch (DbException error) when (change.Image is { } image && database.Dialect.Breaks(error, ImageWriting.OneId))
        {
            throw new ImageIdTakenException(image.Id);
        }
        catch (DbException error) when (change.Transfers.Count > 0 && database.Dialect.Breaks(error, TransferWriting.OneId))
        {
            throw TransferWriting.Changed(change.Transfers[0]);
        }
        catch (DbException error) when (change.Image is { SourceKey: not null } && database.Dialect.Breaks(error, ImageWriting.OneSource))
        {
            var existing = await images.FindBySourceAsync(change.Image.Owner, change.Image.SourceKey, cancellationToken);
            return existing is null ? false : throw new DuplicateSourceException(existing.Id);
        }
    }

    /// <returns>How many events it wrote.</returns>
    private async Task<int> WriteAsync(CatalogueChange change, DbTransaction transaction, CancellationToken cancellationToken)
    {
        if (change.MostOpenUploads is { } most && change.Transfers.FirstOrDefault(t => t is { Kind: TransferKind.Upload, Version: 0 }) is { } upload)
            await CheckUploadsAsync(upload, most, transaction, cancellationToken);

        var quotas = await QuotaGuard.BeginAsync(change, transaction, cancellationToken);
        var written = await WriteRecordsAsync(change, transaction, cancellationToken);
        if (quotas is not null)
            await quotas.CheckAsync(cancellationToken);
        return written;
    }

    // Always in this order, so that two changes of the same records wait for each other instead of each holding what the other needs.
    private async Task<int> WriteRecordsAsync(CatalogueChange change, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var events = new EventWriting(database.Dialect, transaction, cancellationToken);
        if (change.Image is { } image)
        {
            await events.BeginAsync(image);
            await new ImageWriting(transaction, cancellationToken).SaveAsync(image);
        }

        foreach (var member in change.Members)
            await MemberRow.InsertAsync(MemberRow.From(member), transaction, cancellationToken);

        foreach (var transfer in change.Transfers)
        {
            await events.BeginAsync(transfer);
            await TransferWriting.SaveAsync(transfer, transaction, cancellationToken);
        }

        if (change.WithoutReplicasOf is { } gone)
            await transaction.Connection!.ExecuteAsync(new CommandDefinition(
                "delete from replicas where image = @gone",
                new { gone = gone.ToString() }, transaction, cancellationToken: cancellationToken));
        foreach (var store in change.WithoutReplicasIn)
            await transaction.Connection!.ExecuteAsync(new CommandDefinition(
                "delete from replicas where image = @image and store = @store",
                new { image = change.Image!.Id.ToString(), store }, transaction, cancellationToken: cancellationToken));
        foreach (var replica in change.Replicas)
            await transaction.Connection!.ExecuteAsync(new CommandDefinition(
                PutReplica, ReplicaRow.From(replica), transaction, cancellationToken: cancellationToken));
        await events.EndAsync();
        return events.Written;
    }

    private sealed class CountsRow
    {
        public long Node { get; init; }
        public long Source { get; init; }
        public long Project { get; init; }
    }
}
