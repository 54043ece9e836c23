using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Images;
using Vitrine.Catalogue.Quotas;
using Vitrine.Catalogue.Stores;
using Vitrine.Catalogue.Transfers;
using Vitrine.Images;

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

    private async Task<bool> TrySaveAsync(CatalogueChange change, CancellationToken cancellationToken)
    {
        try
        {
            await database.WriteAsync((_, transaction) => WriteAsync(change, transaction, cancellationToken), cancellationToken);
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

    private static async Task WriteAsync(CatalogueChange change, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var quotas = await QuotaGuard.BeginAsync(change, transaction, cancellationToken);
        await WriteRecordsAsync(change, transaction, cancellationToken);
        if (quotas is not null)
            await quotas.CheckAsync(cancellationToken);
    }

    // Always in this order, so that two changes of the same records wait for each other instead of each holding what the other needs.
    private static async Task WriteRecordsAsync(CatalogueChange change, DbTransaction transaction, CancellationToken cancellationToken)
    {
        if (change.Image is { } image)
            await new ImageWriting(transaction, cancellationToken).SaveAsync(image);
        foreach (var transfer in change.Transfers)
            await TransferWriting.SaveAsync(transfer, transaction, cancellationToken);
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
    }
}
