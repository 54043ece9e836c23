using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>A file goes on at another mirror where one fails, if both agree that it is the same, and only then.</summary>
public sealed class MirrorsTests : IAsyncDisposable
{
    private const int Length = 300_000;
    private static readonly ScriptedContent Content = ScriptedContent.Generated(Length);
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly ScriptedFile _first;
    private readonly ScriptedFile _second;

    public MirrorsTests()
    {
        _first = _server.Serve("/first", Content);
        _second = _server.Serve("/second", Content);
        _first.CutAfter = _ => 100_000;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_rest_comes_from_a_mirror_with_the_same_strong_mark()
    {
        Assert.Equal(Content.ToArray(), await ReadAsync(isProven: false));
        Assert.Equal((100_000, Length - 100_000), (_first.BytesSent, _second.BytesSent));
    }

    [Fact]
    public async Task Where_the_marks_differ_a_checksum_proves_the_whole()
    {
        _second.ETag = "\"other\"";

        Assert.Equal(Content.ToArray(), await ReadAsync(isProven: true));
        Assert.Equal((100_000, Length - 100_000), (_first.BytesSent, _second.BytesSent));
    }

    [Theory]
    [InlineData("\"other\"")]
    [InlineData("W/\"1\"")]
    [InlineData(null)]
    public async Task Without_agreement_nothing_is_taken(string? mark)
    {
        _second.ETag = mark;
        await BreakOffAsync(isProven: false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_of_another_length_is_another_file(bool isProven)
    {
        _second.Content = ScriptedContent.Generated(Length + 1);
        await BreakOffAsync(isProven);
    }

    [Fact]
    public async Task A_mirror_without_ranges_is_of_no_use_in_the_middle()
    {
        _second.Ranges = false;
        await BreakOffAsync(isProven: true);
    }

    [Fact]
    public async Task A_mirror_that_is_away_is_passed_over()
    {
        _second.Status = 503;
        _server.Serve("/third", Content);

        Assert.Equal(Content.ToArray(), await ReadAsync(isProven: false, "/first", "/second", "/third"));
    }

    [Fact]
    public async Task A_file_that_the_first_mirror_does_not_have_is_begun_at_the_next_and_goes_on_there()
    {
        _first.Status = 404;
        await using var begun = await Open("/first", "/second").OpenAsync(0, null, null, Stop);
        var validator = begun.Validator;

        await using var rest = await Open("/first", "/second").OpenAsync(1000, Length, validator, Stop);
        Assert.Equal((1000, validator), (rest.Offset, rest.Validator));
        Assert.Equal("bytes=1000-", _server.Requests[^1].Header("Range"));
        Assert.Equal("/second", _server.Requests[^1].Path);
    }

    [Fact]
    public async Task After_a_restart_the_rest_comes_from_whichever_mirror_agrees()
    {
        _first.Status = 503;

        await using var rest = await Open("/first", "/second").OpenAsync(1000, Length, "\"1\"", Stop);
        Assert.Equal(1000, rest.Offset);
    }

    [Fact]
    public async Task What_was_begun_is_not_given_up_for_a_mirror_that_is_away_for_a_while()
    {
        _first.Status = 503;
        _second.ETag = "\"other\"";

        var failure = await Assert.ThrowsAsync<SourceException>(() => Open("/first", "/second").OpenAsync(1000, Length, "\"1\"", Stop));
        Assert.True(failure.MayPass);
    }

    [Fact]
    public async Task What_the_mirror_changed_and_no_other_has_is_begun_again()
    {
        (_first.ETag, _second.ETag) = ("\"2\"", "\"3\"");

        await using var reading = await Open("/first", "/second").OpenAsync(1000, Length, "\"1\"", Stop);
        Assert.Equal((0, "\"2\""), (reading.Offset, reading.Validator));
    }

    [Fact]
    public async Task Where_all_fail_the_failure_that_may_pass_is_told()
    {
        (_first.Status, _second.Status) = (404, 503);

        var failure = await Assert.ThrowsAsync<SourceException>(() => Open("/first", "/second").OpenAsync(0, null, null, Stop));
        Assert.True(failure.MayPass);
    }

    [Fact]
    public async Task Mirrors_that_all_break_off_are_each_tried_once()
    {
        _second.CutAfter = _ => 50_000;
        await BreakOffAsync(isProven: false);
        Assert.Equal((100_000, 50_000), (_first.BytesSent, _second.BytesSent));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
    }

    private Mirrors Open(params string[] paths) => Open(isProven: false, paths);

    private Mirrors Open(bool isProven, params string[] paths) =>
        new(new SourceRegistry([_rig.Source]), [.. paths.Select(p => _server.AddressOf(p))], isProven, NullLogger.Instance);

    private async Task<byte[]> ReadAsync(bool isProven, params string[] paths)
    {
        await using var reading = await Open(isProven, paths is [] ? ["/first", "/second"] : paths).OpenAsync(0, null, null, Stop);
        using var all = new MemoryStream();
        await reading.Body.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    private async Task BreakOffAsync(bool isProven)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => ReadAsync(isProven));
        Assert.Equal((SourceFault.Broken, true), (failure.Fault, failure.MayPass));
    }
}
