using Vitrine.Testing;

namespace Vitrine.UnitTests.Stores;

public sealed class ManualClockTests
{
    [Fact]
    public async Task A_delay_ends_when_the_clock_has_been_moved_that_far()
    {
        var clock = new ManualClock();
        var delay = Task.Delay(TimeSpan.FromSeconds(10), clock, TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(delay.IsCompleted);

        clock.Advance(TimeSpan.FromSeconds(1));
        await delay;
    }

    [Fact]
    public void Timers_fire_at_their_own_times_and_in_their_order()
    {
        var clock = new ManualClock();
        var start = clock.GetUtcNow();
        var fired = new List<(string, double)>();
        using var every = clock.CreateTimer(_ => fired.Add(("every", (clock.GetUtcNow() - start).TotalSeconds)), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var once = clock.CreateTimer(_ => fired.Add(("once", (clock.GetUtcNow() - start).TotalSeconds)), null, TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);

        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([("every", 2.0), ("once", 3.0), ("every", 4.0)], fired);
        Assert.Equal(start + TimeSpan.FromSeconds(5), clock.GetUtcNow());
    }

    [Fact]
    public async Task A_test_can_wait_until_somebody_waits()
    {
        var clock = new ManualClock();
        var set = clock.TimerSetAsync(TimeSpan.FromSeconds(7));
        Assert.False(set.IsCompleted);

        var delay = Task.Delay(TimeSpan.FromSeconds(7), clock, TestContext.Current.CancellationToken);
        await set;
        clock.Advance(TimeSpan.FromSeconds(7));
        await delay;
    }

    [Fact]
    public void Timestamps_measure_what_the_clock_was_moved()
    {
        var clock = new ManualClock();
        var before = clock.GetTimestamp();
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(180, clock.GetElapsedTime(before).TotalSeconds, tolerance: 0.001);
    }
}
