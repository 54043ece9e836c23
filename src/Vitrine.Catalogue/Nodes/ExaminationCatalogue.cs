using System.Text.Json;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Nodes;

namespace Vitrine.Catalogue.Nodes;

/// <summary>Examinations of nodes in the database.</summary>
internal sealed class ExaminationCatalogue(CatalogueDatabase database) : IExaminationCatalogue
{
    public Task AddAsync(Examination examination, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            $"insert into examinations ({Row<ExaminationRow>.Columns}) values ({Row<ExaminationRow>.Parameters})",
            ExaminationRow.From(examination), transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public async Task<(Examination Examination, IReadOnlyList<Diagnosis> Diagnoses)?> FindAsync(ExaminationId id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<ExaminationRow>(new CommandDefinition(
            $"select {Row<ExaminationRow>.Columns} from examinations where id = @id", new { id = id.ToString() }, cancellationToken: cancellationToken));
        if (row is null)
            return null;

        var answers = await connection.QueryAsync<AnswerRow>(new CommandDefinition(
            "select node, findings from examination_answers where examination = @id order by node", new { id = id.ToString() },
            cancellationToken: cancellationToken));
        return (row.ToExamination(), [.. answers.Select(a => a.ToDiagnosis())]);
    }

    public async Task<IReadOnlyList<Examination>> ListUnansweredAsync(string node, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<ExaminationRow>(new CommandDefinition(
            $"""
            select {Row<ExaminationRow>.Columns} from examinations
            where asked_at >= @since and not exists (select 1 from examination_answers where examination = examinations.id and node = @node)
            order by asked_at, id
            """,
            new { node, since = Stored.Micros(since) }, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToExamination())];
    }

    public Task AnswerAsync(ExaminationId id, Diagnosis diagnosis, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            """
            insert into examination_answers (examination, node, findings)
            select id, @node, @findings from examinations where id = @id
            on conflict (examination, node) do nothing
            """,
            new { id = id.ToString(), node = diagnosis.Node, findings = FindingJson.Write(diagnosis.Findings) }, transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public Task PruneAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            "delete from examinations where asked_at < @before", new { before = Stored.Micros(before) }, transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    private sealed class ExaminationRow
    {
        public string Id { get; init; } = "";
        public string? Url { get; init; }
        public string? UrlSecret { get; init; }

        /// <summary>A JSON array.</summary>
        public string Nodes { get; init; } = "[]";

        public long AskedAt { get; init; }

        public static ExaminationRow From(Examination examination) => new()
        {
            Id = examination.Id.ToString(),
            Url = examination.Url,
            UrlSecret = examination.UrlSecret,
            Nodes = JsonSerializer.Serialize(examination.Nodes),
            AskedAt = Stored.Micros(examination.AskedAt),
        };

        public Examination ToExamination() => new(ExaminationId.Parse(Id), JsonSerializer.Deserialize<string[]>(Nodes)!, Stored.Time(AskedAt))
        {
            Url = Url,
            UrlSecret = UrlSecret,
        };
    }

    private sealed class AnswerRow
    {
        public string Node { get; init; } = "";

        /// <summary>A JSON array of <see cref="FindingJson"/>.</summary>
        public string Findings { get; init; } = "[]";

        public Diagnosis ToDiagnosis() => new(Node, FindingJson.Read(Findings));
    }

    private sealed record FindingJson(string Check, string Verdict, string Detail, string? Remedy)
    {
        public static string Write(IEnumerable<Finding> findings) =>
            JsonSerializer.Serialize(findings.Select(f => new FindingJson(f.Check, f.Verdict.Word(), f.Detail, f.Remedy)));

        public static Finding[] Read(string json) =>
            [.. JsonSerializer.Deserialize<FindingJson[]>(json)!.Select(f => new Finding(f.Check, Stored.Enum<Verdict>(f.Verdict), f.Detail, f.Remedy))];
    }
}
