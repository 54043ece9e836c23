using Vitrine.Testing;
using Vitrine.Testing.Library;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Transfers;

public sealed class IncomingBandwidthTests
{
    private const int Rate = 1_000_000;

    private readonly EagerClock _clock = new();
    private readonly IncomingBandwidth _bandwidth;

    public IncomingBandwidthTests() => _bandwidth = new IncomingBandwidth(_clock);

    [Fact]
    public async Task Without_a_limit_nobody_waits()
    {
        var before = _clock.GetUtcNow();
        await ReadAsync(10 * Rate, isCopy: false);
        Assert.Equal(before, _clock.GetUtcNow());
    }

    [Fact]
    public async Task Ten_seconds_worth_of_bytes_takes_ten_seconds()
    {
        _bandwidth.Limit(Rate);
        var before = _clock.GetUtcNow();
        await ReadAsync(10 * Rate, isCopy: false);
        Assert.InRange((_clock.GetUtcNow() - before).TotalSeconds, 9.5, 10.5);
    }

    [Fact]
    public async Task Two_share_what_one_has_alone()
    {
        _bandwidth.Limit(Rate);
        var before = _clock.GetUtcNow();
        await ReadAsync(5 * Rate, isCopy: false);
        await ReadAsync(5 * Rate, isCopy: true);
        Assert.InRange((_clock.GetUtcNow() - before).TotalSeconds, 9.5, 10.5);
    }

    [Fact]
    public async Task A_quiet_hour_does_not_save_up_for_a_flood()
    {
        _bandwidth.Limit(Rate);
        _clock.Advance(TimeSpan.FromHours(1));
        var before = _clock.GetUtcNow();
        await ReadAsync(10 * Rate, isCopy: false);
        Assert.InRange((_clock.GetUtcNow() - before).TotalSeconds, 9.5, 10.5);
    }

    [Fact]
    public async Task A_limit_that_is_taken_away_holds_up_nobody_who_waits()
    {
        var clock = new ManualClock();
        var bandwidth = new IncomingBandwidth(clock);
        bandwidth.Limit(Rate);
        await using var body = bandwidth.Pace(new MemoryStream(new byte[20 * Rate]), isCopy: false);
        var buffer = new byte[10 * Rate];
        await body.ReadExactlyAsync(buffer, Stop);
        var waiting = body.ReadExactlyAsync(buffer, Stop).AsTask();
        Assert.False(waiting.IsCompleted);

        bandwidth.Limit(null);
        clock.Advance(TimeSpan.FromSeconds(1));
        await waiting;
    }

    [Fact]
    public async Task A_copy_waits_while_an_import_does()
    {
        var clock = new ManualClock();
        var bandwidth = new IncomingBandwidth(clock);
        bandwidth.Limit(Rate);
        await using var import = bandwidth.Pace(new MemoryStream(new byte[2 * Rate]), isCopy: false);
        await using var copy = bandwidth.Pace(new MemoryStream(new byte[2 * Rate]), isCopy: true);
        var (imported, copied) = (new byte[Rate], new byte[Rate]);
        await import.ReadExactlyAsync(imported, Stop);
        var importing = import.ReadExactlyAsync(imported, Stop).AsTask();
        var copying = copy.ReadExactlyAsync(copied, Stop).AsTask();

        while (!importing.IsCompleted)
        {
            Assert.False(copying.IsCompleted && !importing.IsCompleted);
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        while (!copying.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }
    }

    private async Task ReadAsync(int bytes, bool isCopy)
    {
        await using var body = _bandwidth.Pace(new MemoryStream(new byte[bytes]), isCopy);
        var buffer = new byte[64 * 1024];
        while (await body.ReadAsync(buffer, Stop) > 0)
        {
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
