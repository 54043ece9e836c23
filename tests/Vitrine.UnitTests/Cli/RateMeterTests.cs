using Vitrine.Cli;
using Vitrine.Testing;

namespace Vitrine.UnitTests.Cli;

public sealed class RateMeterTests
{
    [Fact]
    public void Where_a_transfer_goes_on_is_no_speed()
    {
        var clock = new ManualClock();
        var meter = new RateMeter(clock);
        meter.Observe(5_000_000);
        Assert.Equal(0, meter.Rate);
        Assert.Null(meter.Left(10_000_000));

        clock.Advance(TimeSpan.FromSeconds(1));
        meter.Observe(5_001_000);
        Assert.Equal(1000, meter.Rate, 0.01);
        Assert.Equal(1, meter.Left(5_002_000)!.Value.TotalSeconds, 0.01);
    }

    [Fact]
    public void A_speed_that_changes_is_followed_within_seconds()
    {
        var clock = new ManualClock();
        var meter = new RateMeter(clock);
        var moved = 0L;
        meter.Observe(moved);
        Run(seconds: 10, rate: 1000);
        Assert.Equal(1000, meter.Rate, 1);
        Run(seconds: 30, rate: 100);
        Assert.InRange(meter.Rate, 100, 110);
        Assert.Null(meter.Left(null));

        void Run(int seconds, int rate)
        {
            for (var i = 0; i < seconds; i++)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                meter.Observe(moved += rate);
            }
        }
    }
}
