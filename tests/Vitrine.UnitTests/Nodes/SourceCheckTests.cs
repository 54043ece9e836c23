using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Nodes;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Nodes;

/// <summary>What the doctor says of the way to a source, whatever its scheme.</summary>
public sealed class SourceCheckTests
{
    private static readonly SourceProbe Whole = new("http://mirror.test/disk.img", 200, 5, null, CanResume: true, null, Certificate: null)
    {
        Route = new SourceRoute("192.0.2.1", Mtu: 1500, InterfaceMtu: 1500),
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SourceFault.Dns, "source.dns")]
    [InlineData(SourceFault.Connect, "source.connect")]
    [InlineData(SourceFault.ConnectTimeout, "source.connect")]
    [InlineData(SourceFault.Tls, "source.tls")]
    [InlineData(SourceFault.HostKey, "source.host-key")]
    [InlineData(SourceFault.Login, "source.login")]
    [InlineData(SourceFault.Status, "source.answer")]
    [InlineData(SourceFault.Stalled, "source.answer")]
    [InlineData(SourceFault.Broken, "source.answer")]
    [InlineData(SourceFault.TooManyRedirects, "source.answer")]
    public async Task A_failure_is_named_by_its_step_with_the_node_that_tried(SourceFault fault, string check)
    {
        var findings = await ExamineAsync("http://mirror.test/disk.img", () => throw new SourceException(fault, "It is broken.", mayPass: false));
        Assert.Equal([("source.policy", Verdict.Ok), (check, Verdict.Fail)], findings.Select(f => (f.Check, f.Verdict)));
        Assert.Equal("It is broken. Node one tried.", findings[1].Detail);
        Assert.NotNull(findings[1].Remedy);
    }

    [Fact]
    public async Task What_the_policy_refuses_once_the_name_was_looked_up_is_not_called_allowed()
    {
        var findings = await ExamineAsync("http://mirror.test/x", () => throw new SourceException(SourceFault.Refused, "It is refused.", mayPass: false));
        Assert.Equal([("source.policy", Verdict.Fail)], findings.Select(f => (f.Check, f.Verdict)));
    }

    [Theory]
    [InlineData(401, "source.login")]
    [InlineData(403, "source.login")]
    [InlineData(404, "source.answer")]
    [InlineData(304, "source.answer")]
    [InlineData(503, "source.answer")]
    public async Task An_answer_without_the_file_is_a_failure(int status, string check)
    {
        var findings = await ExamineAsync("https://mirror.test/disk.img", () => Whole with { Status = status });
        Assert.Equal(check, Assert.Single(findings, f => f.Verdict is Verdict.Fail).Check);
        Assert.DoesNotContain(findings, f => f.Check is "source.length" or "source.ranges");
    }

    [Theory]
    [InlineData("http://mirror.test/disk.img", 200, "policy connect mtu tls answer length ranges")]
    [InlineData("http://user:secret@mirror.test/disk.img", 206, "policy connect mtu tls login answer length ranges")]
    [InlineData("ftp://mirror.test/disk.img", 502, "policy connect mtu tls login answer length ranges")]
    [InlineData("sftp://user:secret@mirror.test/disk.img", 0, "policy connect mtu host-key login answer length ranges")]
    [InlineData("s3://bucket/disk.img", 200, "policy connect mtu tls login answer length ranges")]
    [InlineData("glance+http://:secret@mirror.test/v2/images/1/file", 200, "policy connect mtu tls login answer length ranges")]
    [InlineData("file:///srv/disk.img", 0, "policy answer length ranges")]
    public async Task Each_scheme_is_told_by_the_steps_that_it_has(string url, int status, string checks)
    {
        var findings = await ExamineAsync(url, () => Whole with { Status = status, Route = url.StartsWith("file", StringComparison.Ordinal) ? null : Whole.Route });
        Assert.Equal(checks.Split(' ').Select(c => $"source.{c}"), findings.Select(f => f.Check));
        Assert.All(findings, f => Assert.Equal((Verdict.Ok, null), (f.Verdict, f.Remedy)));
        Assert.DoesNotContain(findings, f => f.Detail.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1500, 1500, Verdict.Ok)]
    [InlineData(65_536, null, Verdict.Ok)]
    [InlineData(1280, 1280, Verdict.Ok)]
    [InlineData(1279, 1279, Verdict.Warn)]
    [InlineData(1400, 1500, Verdict.Warn)]
    public async Task A_way_that_is_narrower_than_the_node_s_interface_is_worth_a_warning(int mtu, int? ofInterface, Verdict verdict)
    {
        var findings = await ExamineAsync("http://mirror.test/x", () => Whole with { Route = new SourceRoute("192.0.2.1", mtu, ofInterface) });
        Assert.Equal(verdict, findings.Single(f => f.Check == "source.mtu").Verdict);
    }

    [Fact]
    public async Task Text_that_is_no_address_is_a_finding()
    {
        var finding = Assert.Single(await ExamineAsync("gopher://mirror.test/x", () => Whole));
        Assert.Equal((SourceCheck.Name, Verdict.Fail), (finding.Check, finding.Verdict));
    }

    private static async Task<IReadOnlyList<Finding>> ExamineAsync(string url, Func<SourceProbe> answer)
    {
        var node = new ThisNode("one", "run", "zone");
        var check = new SourceCheck(new SourceRegistry([new AnsweringSource(answer)]), node);
        return (await new Doctor([], check, node, TimeProvider.System, NullLogger<Doctor>.Instance).ExamineAsync(url, Stop)).Findings;
    }

    private sealed class AnsweringSource(Func<SourceProbe> answer) : ISource
    {
        public IReadOnlyCollection<string> Schemes => ["http", "https", "ftp", "sftp", "s3", "file", "glance+http"];

        public void Check(Uri address)
        {
            // Everything is allowed.
        }

        public Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("A probe reads nothing.");

        public async Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken)
        {
            await Task.Yield();
            return answer();
        }
    }
}
