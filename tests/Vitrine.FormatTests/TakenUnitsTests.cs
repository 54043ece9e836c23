using Vitrine.Formats;

namespace Vitrine.FormatTests;

public sealed class TakenUnitsTests
{
    [Theory]
    [InlineData(1 << 20)]
    [InlineData(1000)]
    [InlineData(64)]
    [InlineData(7)]
    public void What_lies_at_one_place_is_found_whatever_the_window(int window)
    {
        Assert.False(Overlap(window, [(0, 10), (10, 90), (100, 1), (990, 10), (500, 300)]));
        Assert.True(Overlap(window, [(0, 10), (9, 1)]));
        Assert.True(Overlap(window, [(0, 1000), (999, 1)]));
        Assert.True(Overlap(window, [(100, 200), (163, 2)]));
        Assert.True(Overlap(window, [(64, 64), (128, 64), (127, 1)]));
    }

    private static bool Overlap(int window, (long First, long Count)[] ranges)
    {
        var taken = new TakenUnits(1000, window);
        var isFree = true;
        do
        {
            foreach (var (first, count) in ranges)
                isFree &= taken.TryTake(first, count);
        }
        while (taken.MoveOn());

        return !isFree;
    }
}
