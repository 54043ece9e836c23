using Vitrine.Nodes;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of examinations.</summary>
public abstract class ExaminationCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IExaminationCatalogue Examinations => fixture.Examinations;

    [Fact]
    public async Task What_nodes_found_is_read_as_it_was_written_by_their_names()
    {
        var asked = new Examination(ExaminationId.New(), ["one", "two"], Noon) { Url = "http://mirror.test/a?…", UrlSecret = "sealed" };
        await Examinations.AddAsync(asked, Stop);
        var two = new Diagnosis("two", [Finding.Ok("clock", "The clocks agree."), Finding.Fail("store.'", "It's \"broken\"\0.", "Mend it.")]);
        var one = new Diagnosis("one", []);
        await Examinations.AnswerAsync(asked.Id, two, Stop);
        await Examinations.AnswerAsync(asked.Id, one, Stop);
        await Examinations.AnswerAsync(asked.Id, one with { Findings = two.Findings }, Stop);

        var (found, diagnoses) = (await Examinations.FindAsync(asked.Id, Stop))!.Value;
        Assert.Equal((asked.Id, asked.Url, asked.UrlSecret, asked.AskedAt), (found.Id, found.Url, found.UrlSecret, found.AskedAt));
        Assert.Equal(asked.Nodes, found.Nodes);
        Assert.Equal(["one", "two"], diagnoses.Select(d => d.Node));
        Assert.Empty(diagnoses[0].Findings);
        Assert.Equal(two.Findings, diagnoses[1].Findings);
        Assert.Null(await Examinations.FindAsync(ExaminationId.New(), Stop));
    }

    [Fact]
    public async Task A_node_is_asked_once_and_not_for_what_is_long_past()
    {
        var (late, early, past) = (await AskAsync(Noon.AddSeconds(2)), await AskAsync(Noon.AddSeconds(1)), await AskAsync(Noon.AddSeconds(-1)));
        Assert.Equal([early.Id, late.Id], await UnansweredAsync("one"));
        await Examinations.AnswerAsync(early.Id, new Diagnosis("one", []), Stop);
        Assert.Equal([late.Id], await UnansweredAsync("one"));
        Assert.Equal([early.Id, late.Id], await UnansweredAsync("two"));

        async Task<IEnumerable<ExaminationId>> UnansweredAsync(string node) =>
            (await Examinations.ListUnansweredAsync(node, Noon, Stop)).Select(e => e.Id).Where(id => id == late.Id || id == early.Id || id == past.Id);
    }

    [Fact]
    public async Task What_is_too_old_is_forgotten_with_its_answers_and_takes_no_more()
    {
        var (old, young) = (await AskAsync(Noon.AddYears(-1)), await AskAsync(Noon));
        await Examinations.AnswerAsync(old.Id, new Diagnosis("one", []), Stop);
        await Examinations.PruneAsync(Noon.AddMonths(-1), Stop);
        await Examinations.AnswerAsync(old.Id, new Diagnosis("two", []), Stop);
        Assert.Null(await Examinations.FindAsync(old.Id, Stop));
        Assert.NotNull(await Examinations.FindAsync(young.Id, Stop));
    }

    private async Task<Examination> AskAsync(DateTimeOffset at)
    {
        var asked = new Examination(ExaminationId.New(), ["one", "two"], at);
        await Examinations.AddAsync(asked, Stop);
        return asked;
    }
}

public sealed class SqliteExaminationCatalogueTests(SqliteFixture fixture) : ExaminationCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresExaminationCatalogueTests(PostgresFixture fixture) : ExaminationCatalogueContract(fixture), IClassFixture<PostgresFixture>;
