using System.IO.Pipelines;
using Vitrine.OpenStack.Content;
using Vitrine.Testing;

namespace Vitrine.UnitTests.OpenStack;

public sealed class IdleTimeoutStreamTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);

    private readonly ManualClock _clock = new();
    private readonly Pipe _pipe = new();
    private readonly byte[] _buffer = new byte[16];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_that_gives_nothing_for_the_whole_time_is_ended()
    {
        await using var stream = Open();
        var armed = _clock.TimerSetAsync(Idle);
        var reading = stream.ReadAsync(_buffer, Stop);
        await armed;

        _clock.Advance(Idle);
        await Assert.ThrowsAsync<UploadStalledException>(async () => await reading);
    }

    [Fact]
    public async Task Any_progress_begins_the_time_anew()
    {
        await using var stream = Open();
        for (var i = 0; i < 3; i++)
        {
            var armed = _clock.TimerSetAsync(Idle);
            var reading = stream.ReadAsync(_buffer, Stop);
            await armed;
            _clock.Advance(Idle - TimeSpan.FromSeconds(1));
            await _pipe.Writer.WriteAsync(new byte[] { 1 }, Stop);
            Assert.Equal(1, await reading);
        }
    }

    [Fact]
    public async Task The_time_between_reads_does_not_count()
    {
        await using var stream = Open();
        await _pipe.Writer.WriteAsync(new byte[] { 1, 2 }, Stop);
        Assert.Equal(1, await stream.ReadAsync(_buffer.AsMemory(0, 1), Stop));

        _clock.Advance(Idle * 10);
        Assert.Equal(1, await stream.ReadAsync(_buffer.AsMemory(0, 1), Stop));
    }

    [Fact]
    public async Task A_caller_that_leaves_is_told_so_and_not_of_standing_still()
    {
        await using var stream = Open();
        using var leaving = new CancellationTokenSource();
        var reading = stream.ReadAsync(_buffer, leaving.Token);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
    }

    [Fact]
    public async Task Bytes_come_whole_and_in_order_however_they_are_cut()
    {
        await using var stream = Open();
        var sent = Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31)).ToArray();
        var sending = SendAsync(sent);

        using var received = new MemoryStream();
        while (await stream.ReadAsync(_buffer, Stop) is > 0 and var count)
            received.Write(_buffer, 0, count);

        await sending;
        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public async Task The_end_is_passed_on()
    {
        await using var stream = Open();
        await _pipe.Writer.CompleteAsync();
        Assert.Equal(0, await stream.ReadAsync(_buffer, Stop));
    }

    private async Task SendAsync(byte[] bytes)
    {
        foreach (var part in bytes.Chunk(777))
            await _pipe.Writer.WriteAsync(part, Stop);
        await _pipe.Writer.CompleteAsync();
    }

    private IdleTimeoutStream Open() => new(_pipe.Reader, Idle, _clock);
}
