using Vitrine.Formats.Conversion;

namespace Vitrine.FormatTests.Conversion;

public sealed class UnitMapTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    [InlineData(50_000)]
    public void Units_and_their_numbers_lead_to_one_another(int widestGap)
    {
        var random = new Random(widestGap);
        var map = new UnitMap();
        var units = new List<long>();
        for (long unit = random.Next(widestGap); units.Count < 20_000; unit += random.Next(1, widestGap + 1))
        {
            units.Add(unit);
            map.Add(unit);
        }

        Assert.Equal(units.Count, map.Count);
        Assert.Equal(units.Select(u => u / UnitMap.PageUnits).Distinct(), map.PageNumbers);
        for (var index = 0; index < units.Count; index++)
        {
            Assert.Equal(units[index], map.UnitAt(index));
            Assert.Equal(index, map.IndexOf(units[index]));
            if (index > 0 && units[index] - 1 != units[index - 1])
                Assert.Equal(-1, map.IndexOf(units[index] - 1));
        }

        Assert.Equal(-1, map.IndexOf(units[^1] + 1));
        Assert.Equal(-1, new UnitMap().IndexOf(0));
    }
}
