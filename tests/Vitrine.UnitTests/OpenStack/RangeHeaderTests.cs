using Vitrine.OpenStack.Content;

namespace Vitrine.UnitTests.OpenStack;

public sealed class RangeHeaderTests
{
    // The content is ten bytes long.
    [Theory]
    [InlineData("bytes=0-0", "0..1")]
    [InlineData("bytes=2-4", "2..5")]
    [InlineData("Bytes=2-4", "2..5")]
    [InlineData("bytes=2-", "2..10")]
    [InlineData("bytes=2-99", "2..10")]
    [InlineData("bytes=-3", "7..10")]
    [InlineData("bytes=-99999999999999999999", "0..10")]
    [InlineData("bytes=0-1, 4-5 ,-1", "0..2 4..6 9..10")]
    [InlineData("bytes=0-1,50-60", "0..2")]
    public void Ranges_are_cut_to_the_content(string header, string expected)
    {
        var ranges = Assert.IsType<RangeHeader.Ranges>(RangeHeader.Parse(header, 10));
        Assert.Equal(expected, string.Join(' ', ranges.List.Select(r => $"{r.Start}..{r.End}")));
    }

    [Theory]
    [InlineData("bytes=10-")]
    [InlineData("bytes=99999999999999999999-")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=10-11,12-")]
    public void What_lies_beyond_the_content_cannot_be_satisfied(string header) =>
        Assert.IsType<RangeHeader.Unsatisfiable>(RangeHeader.Parse(header, 10));

    [Theory]
    [InlineData("")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=,")]
    [InlineData("bytes=5-4")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=--1")]
    [InlineData("bytes=1")]
    [InlineData("bytes=+1-2")]
    [InlineData("lines=1-2")]
    public void What_is_no_range_asks_for_nothing(string header) =>
        Assert.Equal(new RangeHeader.Absent { Malformed = true }, RangeHeader.Parse(header, 10));

    [Fact]
    public void No_header_is_no_fault() => Assert.Equal(new RangeHeader.Absent(), RangeHeader.Parse(header: null, 10));

    [Fact]
    public void A_header_of_very_many_ranges_is_not_obeyed() =>
        Assert.IsType<RangeHeader.Absent>(RangeHeader.Parse("bytes=" + string.Join(',', Enumerable.Repeat("0-1", 1000)), 10));

    [Fact]
    public void Whatever_comes_in_no_range_leaves_the_content()
    {
        var random = new Random(1);
        const string Letters = "0123456789-,=bytes ";
        for (var i = 0; i < 10_000; i++)
        {
            var header = "bytes=" + new string([.. Enumerable.Range(0, random.Next(12)).Select(_ => Letters[random.Next(Letters.Length)])]);
            if (RangeHeader.Parse(header, 10) is RangeHeader.Ranges { List: var ranges })
                Assert.All(ranges, r => Assert.True(r is { Length: > 0, End: <= 10 }, header));
        }
    }
}
