using Microsoft.Extensions.DependencyInjection;
using Vitrine.Nodes;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Rest;

/// <summary>All nodes look at themselves, as operators ask for it by the REST face.</summary>
public sealed class ExaminationTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private const string Here = "node-1";
    private const string Gone = "node-2";
    private const string Mute = "node-3";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Examinations Examinations => library.Services.GetRequiredService<Examinations>();

    [Fact]
    public async Task Each_living_node_is_waited_for_and_those_that_are_gone_are_named()
    {
        await ReportAsync(Gone, TimeSpan.FromHours(1));
        await ReportAsync(Mute, TimeSpan.Zero);
        using var admin = library.ClientOf((await library.SharedProjectAsync()).Admin);
        var begun = await admin.BeginExaminationAsync("http://user:secret@10.1.2.3/disk.img?token=secret", Stop);
        Assert.Equal("http://10.1.2.3/disk.img?…", begun.Url);
        Assert.False(begun.Over);
        Assert.Equal([Here, Mute], begun.Awaited);
        Assert.Equal([Gone], begun.Silent);

        await Examinations.AnswerAsync(Stop);
        await Examinations.AnswerAsync(Stop);
        var seen = await admin.GetExaminationAsync(begun.Id, Stop);
        var answer = Assert.Single(seen.Nodes);
        Assert.Equal((Here, "fail", "fail"), (answer.Node, answer.Verdict, seen.Verdict));
        Assert.Contains(answer.Findings, f => f.Check == "catalogue");
        Assert.Contains(answer.Findings, f => f is { Check: "source.policy", Verdict: "fail", Remedy: not null });
        Assert.DoesNotContain(answer.Findings, f => f.Detail.Contains("secret", StringComparison.Ordinal));
        Assert.Equal([Mute], seen.Awaited);
    }

    [Fact]
    public async Task The_way_to_a_source_is_told_as_it_was_gone()
    {
        using var admin = library.ClientOf((await library.SharedProjectAsync()).Admin);
        await using var source = ScriptedHttpServer.Start();
        var file = source.Serve("/disk.img", ScriptedContent.Generated(12_345));
        var address = source.AddressOf("/disk.img").ToString();
        var findings = (await admin.ExamineAsync(address, Stop)).Findings.Where(f => f.Check.StartsWith("source", StringComparison.Ordinal)).ToList();
        Assert.Equal(
            ["source.policy", "source.connect", "source.mtu", "source.tls", "source.answer", "source.length", "source.ranges"], findings.Select(f => f.Check));
        Assert.All(findings, f => Assert.Equal("ok", f.Verdict));
        Assert.Contains("127.0.0.1", findings[1].Detail, StringComparison.Ordinal);

        file.Status = 404;
        Assert.Contains((await admin.ExamineAsync(address, Stop)).Findings, f => f is { Check: "source.answer", Verdict: "fail" });
        Assert.Contains(
            (await admin.ExamineAsync("http://127.0.0.1:1/disk.img", Stop)).Findings,
            f => f is { Check: "source.connect", Verdict: "fail" } && f.Detail.Contains($"Node {Here} tried.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_node_that_gives_no_answer_in_time_is_not_waited_for()
    {
        var asked = new Examination(ExaminationId.New(), [Here, Mute], DateTimeOffset.UnixEpoch);
        var living = new HashSet<string> { Here, Mute };
        var open = ExaminationStanding.Of(asked, [new Diagnosis(Here, [])], living, asked.AskedAt + Examination.Patience - TimeSpan.FromTicks(1));
        Assert.Equal((false, Verdict.Ok), (open.IsOver, open.Verdict));
        var over = ExaminationStanding.Of(asked, [new Diagnosis(Here, [])], living, asked.AskedAt + Examination.Patience);
        Assert.Equal((true, Verdict.Warn), (over.IsOver, over.Verdict));
        Assert.Equal([Mute], over.Silent);
    }

    private Task ReportAsync(string name, TimeSpan silentFor)
    {
        var heartbeat = TimeProvider.System.Now() - silentFor;
        return library.Services.GetRequiredService<INodeCatalogue>().SaveAsync(
            new Node(name, $"{name}-run", "zone-1", [NodeRole.Api], "http://127.0.0.1:1", "0.1.0", heartbeat, heartbeat), Stop);
    }
}
