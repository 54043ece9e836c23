using System.Text.RegularExpressions;
using Vitrine.Catalogue.Database;
using Vitrine.Images;

namespace Vitrine.UnitTests.Catalogue;

public sealed class StoredTests
{
    private static readonly DateTimeOffset Epoch = DateTimeOffset.UnixEpoch;

    public static TheoryData<DateTimeOffset, long> Times => new()
    {
        { Epoch, 0 },
        { Epoch.AddMicroseconds(1), 1 },
        { Epoch.AddTicks(19), 1 },
        { Epoch.AddTicks(-1), -1 },
        { Epoch.AddTicks(-10), -1 },
        { Epoch.AddTicks(-11), -2 },
        { new DateTimeOffset(1970, 1, 1, 2, 0, 0, TimeSpan.FromHours(2)), 0 },
        { DateTimeOffset.MinValue, -62_135_596_800_000_000 },
        { DateTimeOffset.MaxValue, 253_402_300_799_999_999 },
    };

    [Theory, MemberData(nameof(Times))]
    public void A_time_is_kept_to_the_microsecond_below(DateTimeOffset time, long micros)
    {
        Assert.Equal(micros, Stored.Micros(time));
        Assert.InRange(time - Stored.Time(micros), TimeSpan.Zero, TimeSpan.FromTicks(9));
        Assert.Equal(TimeSpan.Zero, Stored.Time(micros).Offset);
    }

    [Fact]
    public void Every_value_of_an_enumeration_is_read_back_from_its_word()
    {
        Assert.All(Enum.GetValues<ImageStatus>(), value => Assert.Equal(value, Stored.Enum<ImageStatus>(value.Word())));
        Assert.All(Enum.GetValues<CpuArchitecture>(), value => Assert.Equal(value, Stored.EnumOrNull<CpuArchitecture>(Stored.Word<CpuArchitecture>(value))));
        Assert.Null(Stored.EnumOrNull<DiskFormat>(null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sleeping")]
    [InlineData("1")]
    [InlineData("queued,active")]
    public void A_word_that_is_not_known_is_no_value(string word) =>
        Assert.Throws<InvalidDataException>(() => Stored.Enum<ImageStatus>(word));

    // The texts are escaped, because half a surrogate pair does not survive in an attribute.
    [Theory]
    [InlineData("", true)]
    [InlineData("plain", true)]
    [InlineData(@"\u0001\uffff", true)]
    [InlineData(@"\ud83e\udd86", true)]
    [InlineData(@"\u0000", false)]
    [InlineData(@"a\u0000", false)]
    [InlineData(@"\ud83e", false)]
    [InlineData(@"\udd86", false)]
    [InlineData(@"\udd86\ud83e", false)]
    [InlineData(@"\ud83e\ud83e\udd86", false)]
    public void Text_can_be_held_that_has_a_utf8_and_no_zero(string escaped, bool held) =>
        Assert.Equal(held, Stored.CanHold(Regex.Unescape(escaped)));
}
