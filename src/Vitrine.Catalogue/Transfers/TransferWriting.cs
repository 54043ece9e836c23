using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Transfers;

/// <summary>Stores one transfer, as part of a transaction.</summary>
internal static class TransferWriting
{
    public static readonly UniqueRule OneId = new("transfers_pkey", "transfers.id");

    private static readonly string Insert =
        $"insert into transfers ({Row<TransferRow>.Columns}) values ({Row<TransferRow>.Parameters})";

    private static readonly string Update =
        $"update transfers set {Row<TransferRow>.Assignments} where id = @Id and version = @Version - 1";

    /// <exception cref="ConcurrentChangeException">The stored transfer has another version.</exception>
    public static async Task SaveAsync(Transfer transfer, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        var stored = await connection.ExecuteAsync(new CommandDefinition(
            transfer.Version == 0 ? Insert : Update,
            TransferRow.From(transfer), transaction, cancellationToken: cancellationToken));
        if (stored == 0)
            throw Changed(transfer);

        // Its claims count no longer, and its parts are or will be nothing, so they need not be kept.
        if (transfer.IsOver)
            await connection.ExecuteAsync(new CommandDefinition(
                "delete from content_claims where transfer = @id; delete from upload_parts where upload = @id",
                new { id = transfer.Id.ToString() }, transaction, cancellationToken: cancellationToken));
    }

    public static ConcurrentChangeException Changed(Transfer transfer) => new($"Transfer {transfer.Id}");
}
