using Vitrine.Cli;

namespace Vitrine.UnitTests.Cli;

public sealed class AmountsTests
{
    [Theory]
    [InlineData(0L, "0 B")]
    [InlineData(1L, "1 B")]
    [InlineData(1023L, "1023 B")]
    [InlineData(1024L, "1.0 KiB")]
    [InlineData(1536L, "1.5 KiB")]
    [InlineData(10_188L, "9.9 KiB")]
    [InlineData(10_240L, "10 KiB")]
    [InlineData(1_048_575L, "1.0 MiB")]
    [InlineData(1L << 30, "1.0 GiB")]
    [InlineData(123L << 40, "123 TiB")]
    [InlineData(long.MaxValue, "8.0 EiB")]
    public void Bytes_are_told_in_the_unit_that_fits(long count, string expected) => Assert.Equal(expected, Amounts.Bytes(count));

    [Fact]
    public void What_is_not_known_is_a_dash() => Assert.Equal(("-", "-"), (Amounts.Bytes(null), Amounts.Percent(1, null)));

    [Theory]
    [InlineData(0.5, "0 B/s")]
    [InlineData(2048, "2.0 KiB/s")]
    [InlineData(111_149_056, "106 MiB/s")]
    public void Rates_are_bytes_a_second(double rate, string expected) => Assert.Equal(expected, Amounts.Rate(rate));

    [Theory]
    [InlineData("1", 1L)]
    [InlineData("50M", 52_428_800L)]
    [InlineData("3k", 3072L)]
    [InlineData("8G", 8_589_934_592)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("", null)]
    [InlineData("0", null)]
    [InlineData("0M", null)]
    [InlineData("-1", null)]
    [InlineData("+1", null)]
    [InlineData("1.5M", null)]
    [InlineData("M", null)]
    [InlineData("1T", null)]
    [InlineData("1 M", null)]
    [InlineData("9223372036854775807K", null)]
    [InlineData("99999999999999999999", null)]
    public void Amounts_are_typed_as_whole_numbers_with_a_unit(string text, long? expected) =>
        Assert.Equal(expected, Amounts.TryParse(text, out var bytes) ? bytes : null);

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.2, "1 s")]
    [InlineData(59, "59 s")]
    [InlineData(60, "1 min 00 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(7800, "2 h 10 min")]
    [InlineData(360_000, "100 h 00 min")]
    [InlineData(1e9, "a long time")]
    public void Durations_are_told_in_two_units(double seconds, string expected) =>
        Assert.Equal(expected, Amounts.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, 100, "0.0 %")]
    [InlineData(999, 1000, "99.9 %")]
    [InlineData(99_999, 100_000, "99.9 %")] // a hundred is said of all only
    [InlineData(5, 5, "100.0 %")]
    [InlineData(0, 0, "-")]
    public void Parts_are_told_in_percent(long part, long whole, string expected) => Assert.Equal(expected, Amounts.Percent(part, whole));
}
