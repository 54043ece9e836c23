using System.Security.Cryptography;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>What every source must do. A new one gets these tests by saying how a file is served to it.</summary>
public abstract class SourceContract : IAsyncDisposable
{
    private const int Length = 300_001;
    private static readonly ScriptedContent Content = ScriptedContent.Generated(Length);

    private protected abstract ISource Source { get; }

    /// <summary>Serves a file at an address that <see cref="Source"/> may read.</summary>
    private protected abstract ScriptedFile Serve(ScriptedContent content, out Uri address);

    /// <summary>An address of the source's kind that no policy allows unasked.</summary>
    private protected abstract Uri InnerAddress { get; }

    /// <summary>What a probe of a file that is there answers with.</summary>
    private protected virtual int GoodStatus => 200;

    private protected virtual string? ContentType => "application/octet-stream";

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_read_from_its_first_byte_to_its_last()
    {
        Serve(Content, out var address);

        await using var reading = await Source.OpenAsync(address, 0, null, Stop);
        Assert.Equal((0L, Length, true), (reading.Offset, reading.Length!.Value, reading.CanResume));
        Assert.NotNull(reading.Validator);
        Assert.Equal(Content.Sum(HashAlgorithmName.SHA256), Convert.ToHexStringLower(await SHA256.HashDataAsync(reading.Body, Stop)));
    }

    [Fact]
    public async Task An_empty_file_is_a_file()
    {
        Serve(ScriptedContent.Of([]), out var address);

        await using var reading = await Source.OpenAsync(address, 0, null, Stop);
        Assert.Equal(0, reading.Length);
        Assert.Empty(await ReadAsync(reading));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(Length - 1)]
    public async Task The_rest_of_a_file_is_the_rest_of_it(int from)
    {
        Serve(Content, out var address);
        var mark = await MarkAsync(address);

        await using var reading = await Source.OpenAsync(address, from, mark, Stop);
        Assert.Equal((from, Length, true), (reading.Offset, reading.Length!.Value, reading.CanResume));
        Assert.Equal(Content.ToArray()[from..], await ReadAsync(reading));
    }

    [Fact]
    public async Task Nothing_is_left_after_the_last_byte()
    {
        Serve(Content, out var address);
        var mark = await MarkAsync(address);

        await using var reading = await Source.OpenAsync(address, Length, mark, Stop);
        Assert.Equal((Length, Length), (reading.Offset, reading.Length!.Value));
        Assert.Empty(await ReadAsync(reading));
    }

    [Theory]
    [InlineData(Length)]
    [InlineData(Length + 7)]
    [InlineData(Length - 7)]
    [InlineData(10)]
    public async Task A_file_that_was_changed_is_read_from_its_beginning(int lengthNow)
    {
        var file = Serve(Content, out var address);
        var mark = await MarkAsync(address);
        file.Content = ScriptedContent.Generated(lengthNow, seed: 2);
        file.ETag = "\"2\"";

        await using var reading = await Source.OpenAsync(address, 100, mark, Stop);
        Assert.Equal(0, reading.Offset);
        Assert.NotEqual(mark, reading.Validator);
        Assert.Equal(file.Content.ToArray(), await ReadAsync(reading));
    }

    [Fact]
    public async Task Without_a_mark_nobody_can_tell_what_the_rest_is_of()
    {
        Serve(Content, out var address);

        await using var reading = await Source.OpenAsync(address, 100, null, Stop);
        Assert.Equal(0, reading.Offset);
    }

    [Fact]
    public async Task A_source_that_gives_only_whole_files_begins_again()
    {
        var file = Serve(Content, out var address);
        file.Ranges = false;
        var mark = await MarkAsync(address);

        await using var reading = await Source.OpenAsync(address, 100, mark, Stop);
        Assert.Equal((0L, false), (reading.Offset, reading.CanResume));
        Assert.Equal(Content.ToArray(), await ReadAsync(reading));
    }

    [Fact]
    public async Task A_connection_that_is_cut_again_and_again_brings_the_file_in_pieces()
    {
        var random = new Random(7);
        var file = Serve(Content, out var address);
        file.CutAfter = _ => random.Next(1, 50_000);

        var received = new MemoryStream();
        string? mark = null;
        while (received.Length < Length)
        {
            await using var reading = await Source.OpenAsync(address, received.Length, mark, Stop);
            Assert.Equal(received.Length, reading.Offset);
            mark = reading.Validator;
            if (await Record.ExceptionAsync(() => reading.Body.CopyToAsync(received, Stop)) is { } cut)
                Assert.Equal((SourceFault.Broken, true), Told(cut));
        }

        Assert.Equal(Content.ToArray(), received.ToArray());
        Assert.Equal(Length, file.BytesSent);
    }

    [Fact]
    public async Task A_reader_may_leave_in_the_middle()
    {
        var file = Serve(ScriptedContent.Generated(long.MaxValue / 2), out var address);

        var reading = await Source.OpenAsync(address, 0, null, Stop);
        await reading.Body.ReadExactlyAsync(new byte[100_000], Stop);
        await reading.DisposeAsync();
        await reading.DisposeAsync();

        // What went out lies in buffers between the two; the reader holds none of it.
        Assert.InRange(file.BytesSent, 100_000, 1L << 30);
    }

    [Fact]
    public async Task A_cancelled_read_is_cancelled_and_nothing_else()
    {
        var file = Serve(Content, out var address);
        file.StallAfter = 1000;
        await using var reading = await Source.OpenAsync(address, 0, null, Stop);
        await reading.Body.ReadExactlyAsync(new byte[1000], Stop);

        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var read = reading.Body.ReadAsync(new byte[1], cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await read);
    }

    [Fact]
    public async Task A_cancelled_opening_is_cancelled_and_nothing_else()
    {
        var file = Serve(Content, out var address);
        file.StallBeforeAnswer = true;

        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var opening = Source.OpenAsync(address, 0, null, cancel.Token);
        await file.Stalled.WaitAsync(Stop);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
    }

    [Fact]
    public virtual async Task A_probe_tells_of_a_file_without_reading_it()
    {
        var file = Serve(Content, out var address);

        var probe = await Source.ProbeAsync(address, Stop);
        Assert.Equal((GoodStatus, Length, true), (probe.Status, probe.Length!.Value, probe.CanResume));
        Assert.Equal(ContentType, probe.ContentType);
        Assert.Equal(SourceAddress.Redact(address), probe.FinalAddress);
        Assert.Equal(0, file.BytesSent);
        Assert.Equal(await MarkAsync(address), probe.Validator);
    }

    [Fact]
    public async Task An_address_that_the_policy_refuses_is_refused_by_every_call()
    {
        var failures = new[]
        {
            Assert.Throws<SourceException>(() => Source.Check(InnerAddress)),
            await Assert.ThrowsAsync<SourceException>(() => Source.OpenAsync(InnerAddress, 0, null, Stop)),
            await Assert.ThrowsAsync<SourceException>(() => Source.ProbeAsync(InnerAddress, Stop)),
        };

        Assert.All(failures, failure => Assert.Equal((SourceFault.Refused, false), Told(failure)));
    }

    public abstract ValueTask DisposeAsync();

    private protected static (SourceFault, bool) Told(Exception fault)
    {
        var failure = Assert.IsType<SourceException>(fault);
        return (failure.Fault, failure.MayPass);
    }

    private async Task<string> MarkAsync(Uri address)
    {
        await using var reading = await Source.OpenAsync(address, 0, null, Stop);
        return reading.Validator!;
    }

    private static async Task<byte[]> ReadAsync(SourceReading reading)
    {
        using var all = new MemoryStream();
        await reading.Body.CopyToAsync(all, Stop);
        return all.ToArray();
    }
}
