using System.Net;
using System.Net.Sockets;
using System.Text;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>Each thing that can go wrong with a source, what it is called, whether it may pass, and that no secret is told.</summary>
public sealed class HttpSourceFailureTests : IAsyncDisposable
{
    private const string Mirror = "mirror.example";
    private const string Public = "8.8.8.8";
    private const string Canary = "canary";
    private readonly HttpRig _rig = new();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly ScriptedFile _file;

    public HttpSourceFailureTests()
    {
        _rig.Network.Name(Mirror, Public).Lead($"{Public}:{_server.Port}", _server.Port);
        _file = _server.Serve("/file", ScriptedContent.Generated(100_000));
    }

    /// <summary>Has a secret wherever an address may have one.</summary>
    private Uri Address => At(Mirror);

    [Theory]
    [InlineData(400, false, "400 Bad Request")]
    [InlineData(401, false, "401 Unauthorized")]
    [InlineData(403, false, "403 Forbidden")]
    [InlineData(404, false, "404 Not Found")]
    [InlineData(410, false, "410 Gone")]
    [InlineData(451, false, "451 Unavailable For Legal Reasons")]
    [InlineData(408, true, "408 Request Timeout")]
    [InlineData(425, true, "425")]
    [InlineData(429, true, "429 Too Many Requests")]
    [InlineData(500, true, "500 Internal Server Error")]
    [InlineData(502, true, "502 Bad Gateway")]
    [InlineData(503, true, "503 Service Unavailable")]
    [InlineData(504, true, "504 Gateway Timeout")]
    [InlineData(204, false, "204 No Content")]
    [InlineData(206, false, "206 Partial Content")]
    [InlineData(300, false, "300 Multiple Choices")]
    [InlineData(304, false, "304 Not Modified")]
    [InlineData(302, false, "302 Found without an address")]
    [InlineData(799, false, "799")]
    public async Task A_status_without_a_file_is_told_by_its_number(int status, bool mayPass, string told)
    {
        _file.Status = status;
        _file.Phrase = $"{Canary} was here";

        Assert.Contains(told, await FailAsync(SourceFault.Status, mayPass));
    }

    [Theory]
    [InlineData(SocketError.HostNotFound, false, "no host named mirror2.example")]
    [InlineData(SocketError.NoData, false, "has no address")]
    [InlineData(SocketError.TryAgain, true, "at the moment")]
    [InlineData(SocketError.NoRecovery, false, "could not be looked up")]
    public async Task A_name_that_leads_nowhere_is_told_with_the_reason(SocketError error, bool mayPass, string told)
    {
        _rig.Network.OnLookup = (_, _) => throw new SocketException((int)error);

        Assert.Contains(told, await FailAsync(SourceFault.Dns, mayPass, At("mirror2.example")));
    }

    [Fact]
    public async Task A_name_without_addresses_leads_nowhere()
    {
        _rig.Network.OnLookup = (_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([]);

        Assert.Contains("has no address", await FailAsync(SourceFault.Dns, mayPass: false));
    }

    [Fact]
    public async Task Silent_name_servers_are_not_waited_for_for_ever()
    {
        _rig.Network.OnLookup = async (_, stop) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            return [];
        };

        await FailAfterAsync(_rig.Options.ConnectTimeout, SourceFault.Dns);
    }

    [Theory]
    [InlineData(SocketError.ConnectionRefused, SourceFault.Connect, "refused the connection")]
    [InlineData(SocketError.HostUnreachable, SourceFault.Connect, "no route")]
    [InlineData(SocketError.NetworkUnreachable, SourceFault.Connect, "no route")]
    [InlineData(SocketError.TimedOut, SourceFault.ConnectTimeout, "did not answer")]
    [InlineData(SocketError.ConnectionReset, SourceFault.Connect, "ConnectionReset")]
    public async Task A_host_that_cannot_be_reached_may_be_reached_later(SocketError error, SourceFault fault, string told)
    {
        _rig.Network.Fail($"{Public}:{_server.Port}", error);

        Assert.Contains(told, await FailAsync(fault, mayPass: true));
    }

    [Fact]
    public async Task A_black_hole_is_told_after_the_connect_time()
    {
        _rig.Network.Swallow($"{Public}:{_server.Port}");

        Assert.Contains("within 10 s", await FailAfterAsync(_rig.Options.ConnectTimeout, SourceFault.ConnectTimeout));
    }

    [Fact]
    public async Task The_next_address_is_tried_where_one_is_dead_and_the_time_is_shared()
    {
        _rig.Network.Name("three.example", "1.1.1.1", "1.0.0.1", Public)
            .Fail($"1.1.1.1:{_server.Port}", SocketError.ConnectionRefused)
            .Swallow($"1.0.0.1:{_server.Port}");

        var opening = _rig.OpenAsync(At("three.example"));
        await StepAsync(_rig.Options.ConnectTimeout / 2);
        await using var reading = await opening;
        Assert.Equal(["1.1.1.1", "1.0.0.1", Public], _rig.Network.Dialled.Select(d => d.Address.ToString()));
    }

    [Fact]
    public async Task A_host_that_never_answers_is_told_after_the_header_time()
    {
        _file.StallBeforeAnswer = true;

        Assert.Contains("within 30 s", await FailAfterAsync(_rig.Options.HeaderTimeout, SourceFault.Stalled));
    }

    [Fact]
    public async Task A_cut_before_the_answer_may_pass()
    {
        _file.CutBeforeAnswer = true;
        await FailAsync(SourceFault.Broken, mayPass: true);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", false)]
    [InlineData("HTTP/1.1 canary\r\n\r\n", false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Len", true)]
    public async Task What_is_no_answer_is_told_as_such(string answer, bool mayPass)
    {
        _file.RawAnswer = Encoding.ASCII.GetBytes(answer);
        await FailAsync(SourceFault.Broken, mayPass);
    }

    [Fact]
    public async Task Headers_without_end_are_not_read_to_their_end()
    {
        _file.RawAnswer = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"X-{i}: {new string('a', 100)}\r\n")));
        Assert.Contains("more headers", await FailAsync(SourceFault.Broken, mayPass: false));
    }

    [Fact]
    public async Task A_body_that_stands_still_stalls_after_the_idle_time_and_not_before()
    {
        _file.StallAfter = 1000;
        await using var reading = await _rig.OpenAsync(Address);
        await reading.Body.ReadExactlyAsync(new byte[1000], Stop);

        // Time that the reader takes for itself is not the source's.
        _rig.Time.Step(_rig.Options.IdleTimeout * 2);
        var read = reading.Body.ReadAsync(new byte[1], Stop).AsTask();
        _rig.Time.Step(_rig.Options.IdleTimeout - TimeSpan.FromSeconds(1));
        Assert.False(read.IsCompleted);
        _rig.Time.Step(TimeSpan.FromSeconds(1));

        var failure = await Assert.ThrowsAsync<SourceException>(() => read);
        Check(failure, SourceFault.Stalled, mayPass: true);
        Assert.Contains("60 s", failure.Message);
    }

    [Fact]
    public async Task A_byte_now_and_then_is_enough()
    {
        _file.StallAfter = 1000;
        await using var reading = await _rig.OpenAsync(Address);
        await reading.Body.ReadExactlyAsync(new byte[1000], Stop);

        var read = reading.Body.ReadAsync(new byte[1], Stop).AsTask();
        _rig.Time.Step(_rig.Options.IdleTimeout - TimeSpan.FromSeconds(1));
        _file.Release();
        Assert.Equal(1, await read);
        read = reading.Body.ReadAsync(new byte[1], Stop).AsTask();
        _rig.Time.Step(_rig.Options.IdleTimeout - TimeSpan.FromSeconds(1));
        Assert.Equal(1, await read);
    }

    [Theory]
    [InlineData(BodyFraming.ContentLength)]
    [InlineData(BodyFraming.Chunked)]
    public async Task A_body_that_ends_too_soon_is_broken(BodyFraming framing)
    {
        _file.Framing = framing;
        _file.CutAfter = _ => 60_000;
        await using var reading = await _rig.OpenAsync(Address);

        using var received = new MemoryStream();
        var failure = await Assert.ThrowsAsync<SourceException>(() => reading.Body.CopyToAsync(received, Stop));
        Check(failure, SourceFault.Broken, mayPass: true);
        Assert.Equal(60_000, received.Length);
    }

    [Fact]
    public async Task A_length_that_is_announced_too_long_is_broken()
    {
        _file.DeclaredLength = 100_001;
        await using var reading = await _rig.OpenAsync(Address);

        Check(await Assert.ThrowsAsync<SourceException>(() => reading.Body.CopyToAsync(Stream.Null, Stop)), SourceFault.Broken, mayPass: true);
    }

    [Fact]
    public async Task A_body_ends_where_it_was_announced_to_end()
    {
        (_file.DeclaredLength, _file.Endless) = (1000, true);
        await using var reading = await _rig.OpenAsync(Address);

        using var received = new MemoryStream();
        await reading.Body.CopyToAsync(received, Stop);
        Assert.Equal(1000, received.Length);
    }

    [Theory]
    [InlineData(BodyFraming.Chunked)]
    [InlineData(BodyFraming.Close)]
    public async Task A_file_of_unknown_length_is_read_to_its_end(BodyFraming framing)
    {
        _file.Framing = framing;
        await using var reading = await _rig.OpenAsync(Address);

        using var received = new MemoryStream();
        await reading.Body.CopyToAsync(received, Stop);
        Assert.Null(reading.Length);
        Assert.Equal(_file.Content.ToArray(), received.ToArray());
    }

    [Fact]
    public async Task A_body_without_end_is_read_as_far_as_its_reader_likes()
    {
        (_file.Framing, _file.Endless) = (BodyFraming.Chunked, true);
        await using var reading = await _rig.OpenAsync(Address);

        var received = new byte[200_000];
        await reading.Body.ReadExactlyAsync(received, Stop);
        Assert.Equal(_file.Content.ToArray(), received[..100_000]);
    }

    [Theory]
    [InlineData("bytes 499-99999/100000")]
    [InlineData("bytes 501-99999/100000")]
    [InlineData("bytes 500-99998/99999")]
    [InlineData("rubbish")]
    public async Task A_part_that_is_not_the_one_asked_for_is_not_taken(string contentRange)
    {
        _file.ContentRange = contentRange;

        await using var reading = await _rig.OpenAsync(Address, 500, "\"1\"");
        Assert.Equal(0, reading.Offset);
        Assert.Equal(["bytes=500-", null], _server.Requests.Select(r => r.Header("Range")));
    }

    [Fact]
    public async Task A_source_that_looks_at_no_condition_is_found_out_by_its_mark()
    {
        _file.HonoursIfRange = false;
        _file.ETag = "\"2\"";

        await using var reading = await _rig.OpenAsync(Address, 500, "\"1\"");
        Assert.Equal((0L, "\"2\""), (reading.Offset, reading.Validator));
    }

    [Theory]
    [InlineData(100_000, 500)]
    [InlineData(99_999, 0)]
    [InlineData(100_001, 0)]
    public async Task Without_any_mark_of_the_source_the_length_is_the_mark(int lengthNow, int offset)
    {
        _file.ETag = "W/\"weak\"";
        string? mark;
        await using (var first = await _rig.OpenAsync(Address))
            mark = first.Validator;

        _file.Content = ScriptedContent.Generated(lengthNow);
        await using var reading = await _rig.OpenAsync(Address, 500, mark);
        Assert.Equal(offset, reading.Offset);
        Assert.All(_server.Requests, request => Assert.Null(request.Header("If-Range")));
    }

    [Fact]
    public async Task A_date_is_a_mark_where_there_is_no_other()
    {
        (_file.ETag, _file.LastModified) = (null, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        await using (var first = await _rig.OpenAsync(Address))
            Assert.Equal("Fri, 02 Jan 2026 03:04:05 GMT", first.Validator);

        await using var same = await _rig.OpenAsync(Address, 500, "Fri, 02 Jan 2026 03:04:05 GMT");
        Assert.Equal(500, same.Offset);
        await using var other = await _rig.OpenAsync(Address, 500, "Thu, 01 Jan 2026 03:04:05 GMT");
        Assert.Equal(0, other.Offset);
    }

    [Fact]
    public async Task A_source_may_give_the_rest_bit_by_bit()
    {
        _file.LongestRange = 30_000;
        await using var reading = await _rig.OpenAsync(Address, 50_000, "\"1\"");

        using var received = new MemoryStream();
        Check(await Assert.ThrowsAsync<SourceException>(() => reading.Body.CopyToAsync(received, Stop)), SourceFault.Broken, mayPass: true);
        Assert.Equal((30_000L, 100_000L), (received.Length, reading.Length));
    }

    [Fact]
    public async Task A_failure_while_resuming_is_the_same_failure()
    {
        _file.Status = 503;
        Check(await _rig.FailAsync(Address, 500, "\"1\""), SourceFault.Status, mayPass: true);
    }

    [Fact]
    public async Task A_login_that_is_wrong_is_not_told()
    {
        _file.Login = "user:other";
        Assert.Contains("401", await FailAsync(SourceFault.Status, mayPass: false));
    }

    [Theory]
    [InlineData("http://user:canary@10.0.0.1/?canary", SourceFault.Refused)]
    [InlineData("http://user:canary@127.1/?canary", SourceFault.MalformedUrl)]
    [InlineData("ftp://user:canary@mirror.example/?canary", SourceFault.Refused)]
    [InlineData("http://user:canary@mirror.example/can\\ary?canary", SourceFault.MalformedUrl)]
    public async Task A_refusal_tells_no_secret(string address, SourceFault fault) => await FailAsync(fault, mayPass: false, new Uri(address));

    [Theory]
    [InlineData("http://10.0.0.1/?canary", SourceFault.Refused)]
    [InlineData("http://user:canary@10.0.0.1/", SourceFault.Refused)]
    [InlineData("/file?canary", SourceFault.TooManyRedirects)]
    public async Task A_redirect_tells_no_secret(string location, SourceFault fault)
    {
        (_file.Status, _file.Location) = (302, location);
        await FailAsync(fault, mayPass: false);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(500)]
    public async Task A_probe_answers_with_the_status_whatever_it_is(int status)
    {
        _file.Status = status;

        var probe = await _rig.Source.ProbeAsync(Address, Stop);
        Assert.Equal((status, null), (probe.Status, probe.Length));
        Assert.DoesNotContain(Canary, probe.ToString());
    }

    [Theory]
    [InlineData(405)]
    [InlineData(501)]
    [InlineData(403)]
    public async Task A_probe_asks_for_one_byte_where_nothing_else_is_answered(int status)
    {
        _file.StatusOfHead = status;
        _file.ContentType = "text/html";

        var probe = await _rig.Source.ProbeAsync(Address, Stop);
        Assert.Equal((206, 100_000L, true, "text/html"), (probe.Status, probe.Length!.Value, probe.CanResume, probe.ContentType));
        Assert.Equal(["HEAD", "GET"], _server.Requests.Select(r => r.Method));
        Assert.Equal("bytes=0-0", _server.Requests[1].Header("Range"));
        Assert.InRange(_file.BytesSent, 0, 1);
    }

    [Fact]
    public async Task A_probe_tells_where_redirects_end_without_the_secrets_there()
    {
        _server.Redirect("/moved", "/file?canary");

        var probe = await _rig.Source.ProbeAsync(_server.AddressOf("/moved", Mirror), Stop);
        Assert.Equal($"http://{Mirror}:{_server.Port}/file?…", probe.FinalAddress);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Uri At(string host) => _server.AddressOf($"/file?token={Canary}#{Canary}", host, $"user{Canary}:{Canary}");

    private async Task<string> FailAsync(SourceFault fault, bool mayPass, Uri? address = null)
    {
        var failure = await _rig.FailAsync(address ?? Address);
        Check(failure, fault, mayPass);
        return failure.Message;
    }

    private async Task<string> FailAfterAsync(TimeSpan time, SourceFault fault)
    {
        var opening = _rig.FailAsync(Address);
        await StepAsync(time);
        var failure = await opening;
        Check(failure, fault, mayPass: true);
        return failure.Message;
    }

    private async Task StepAsync(TimeSpan time)
    {
        await _rig.Time.WhenSet(time).WaitAsync(Stop);
        _rig.Time.Step(time);
    }

    /// <summary>The whole text of a failure, its causes and their traces included, has no secret in it.</summary>
    private static void Check(SourceException failure, SourceFault fault, bool mayPass)
    {
        Assert.Equal((fault, mayPass), (failure.Fault, failure.MayPass));
        Assert.NotEmpty(failure.Code);
        Assert.NotEmpty(failure.Remedy);
        Assert.DoesNotContain(Canary, failure.ToString());
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes($"user{Canary}:{Canary}")), failure.ToString());
    }
}
