using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Transfers;

/// <summary>Parts of uploads in the database.</summary>
internal sealed class UploadPartCatalogue(CatalogueDatabase database) : IUploadPartCatalogue
{
    private static readonly string Select = $"select {Row<UploadPartRow>.Columns} from upload_parts where upload = @id order by number";
    private static readonly string Put = $"""
        insert into upload_parts ({Row<UploadPartRow>.Columns}) values ({Row<UploadPartRow>.Parameters})
        on conflict (upload, number) do update set {Row<UploadPartRow>.Assignments}
        """;

    public async Task<IReadOnlyList<UploadPart>> ListAsync(TransferId upload, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<UploadPartRow>(new CommandDefinition(Select, new { id = upload.ToString() }, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToPart())];
    }

    public Task<IReadOnlyList<UploadPart>> ChangeAsync(
        TransferId upload, Func<IReadOnlyList<UploadPart>, IReadOnlyList<UploadPart>> decide, CancellationToken cancellationToken) => database.WriteAsync(
        async (connection, transaction) =>
        {
            // Whoever changes parts has the transfer's row, so that its end and a new part cannot pass each other either.
            var id = upload.ToString();
            var isOpen = await connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
                $"select id from transfers where id = @id and {TransferCatalogue.NotOver} {database.Dialect.ForUpdate}",
                new { id }, transaction, cancellationToken: cancellationToken)) is not null;
            if (!isOpen)
                throw new TransferLostException(upload);

            var rows = await connection.QueryAsync<UploadPartRow>(new CommandDefinition(Select, new { id }, transaction, cancellationToken: cancellationToken));
            IReadOnlyList<UploadPart> known = [.. rows.Select(row => row.ToPart())];
            var decided = decide(known);
            foreach (var part in decided.Except(known))
                await connection.ExecuteAsync(new CommandDefinition(Put, UploadPartRow.From(part), transaction, cancellationToken: cancellationToken));
            foreach (var number in known.Select(p => p.Number).Except(decided.Select(p => p.Number)))
                await connection.ExecuteAsync(new CommandDefinition(
                    "delete from upload_parts where upload = @id and number = @number", new { id, number }, transaction, cancellationToken: cancellationToken));

            return decided;
        },
        cancellationToken);

    private sealed class UploadPartRow
    {
        public string Upload { get; init; } = "";
        public int Number { get; init; }
        public long Length { get; init; }
        public long Moved { get; init; }
        public int? Place { get; init; }
        public long CreatedAt { get; init; }

        public static UploadPartRow From(UploadPart part) => new()
        {
            Upload = part.Upload.ToString(),
            Number = part.Number,
            Length = part.Length,
            Moved = part.Moved,
            Place = part.Place,
            CreatedAt = Stored.Micros(part.CreatedAt),
        };

        public UploadPart ToPart() => new(TransferId.Parse(Upload), Number, Length, Moved, Place, Stored.Time(CreatedAt));
    }
}
