using System.Net;
using Vitrine.Sources.Http;

namespace Vitrine.UnitTests.Sources;

public sealed class HttpDecisionTests
{
    private const string Date = "Wed, 21 Oct 2026 07:28:00 GMT";
    private const string SecondLater = "Wed, 21 Oct 2026 07:28:01 GMT";

    [Theory]
    [InlineData("bytes 0-9/10", 0L, 9L, 10L)]
    [InlineData("bytes 5-5/6", 5L, 5L, 6L)]
    [InlineData("Bytes 5-9/*", 5L, 9L, null)]
    [InlineData("bytes */10", null, null, 10L)]
    public void A_content_range_is_read(string text, long? first, long? last, long? total) =>
        Assert.Equal(new ServedRange(first, last, total), ServedRange.TryParse(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes")]
    [InlineData("bytes ")]
    [InlineData("bytes 0-9")]
    [InlineData("bytes 9-0/10")]
    [InlineData("bytes 0-10/10")]
    [InlineData("bytes -1-9/10")]
    [InlineData("bytes +0-9/10")]
    [InlineData("bytes 0 - 9/10")]
    [InlineData("bytes 0-9/10/11")]
    [InlineData("bytes 0-9/-1")]
    [InlineData("bytes */*")]
    [InlineData("items 0-9/10")]
    [InlineData("bytes=0-9/10")]
    [InlineData("bytes 0-99999999999999999999/*")]
    public void A_content_range_that_is_not_exactly_one_is_none(string? text) => Assert.Null(ServedRange.TryParse(text));

    [Theory]
    [InlineData("\"abc\"", Date, SecondLater, 10L, "\"abc\"")]
    [InlineData("W/\"abc\"", Date, SecondLater, 10L, Date)]
    [InlineData("W/\"abc\"", Date, Date, 10L, "length=10")] // may change once more within the second
    [InlineData(null, Date, null, 10L, "length=10")]
    [InlineData("abc", null, null, 10L, "length=10")]
    [InlineData("\"a\u0001\"", null, null, 10L, "length=10")]
    [InlineData(null, "yesterday", SecondLater, null, null)]
    [InlineData(null, null, null, null, null)]
    public void A_version_is_marked_by_the_strongest_thing_that_is_known_of_it(string? eTag, string? modified, string? date, long? length, string? mark)
    {
        var found = VersionMark.Of(eTag, modified, date, length);

        Assert.Equal(mark, found?.Text);
        Assert.Equal(found, VersionMark.TryParse(mark));
    }

    [Theory]
    [InlineData("\"abc\"", true)]
    [InlineData(Date, true)]
    [InlineData("length=10", false)]
    public void Only_what_a_server_knows_is_sent_to_it(string mark, bool sent) =>
        Assert.Equal(sent ? mark : null, VersionMark.TryParse(mark)!.IfRange);

    [Theory]
    [InlineData("W/\"abc\"")]
    [InlineData("length=-1")]
    [InlineData("length=")]
    [InlineData("\"a\"\r\nX: 1\"")]
    [InlineData("anything")]
    [InlineData("")]
    [InlineData(null)]
    public void A_mark_that_we_did_not_make_is_none(string? text) => Assert.Null(VersionMark.TryParse(text));

    // The client has 100 bytes of a file.
    [Theory]
    [InlineData(206, "bytes 100-199/200", "\"a\"", null, null, "\"a\"", nameof(Resumption.Continues))]
    [InlineData(206, "bytes 100-199/200", null, null, 100L, "\"a\"", nameof(Resumption.Continues))]
    [InlineData(206, "bytes 100-149/200", "\"a\"", null, 50L, "\"a\"", nameof(Resumption.Continues))] // a part of the rest
    [InlineData(206, "bytes 100-199/*", "\"a\"", null, 100L, "\"a\"", nameof(Resumption.Continues))]
    [InlineData(206, "bytes 100-199/200", "\"b\"", null, 100L, "\"a\"", nameof(Resumption.AskAgain))]  // did not look at If-Range
    [InlineData(206, "bytes 100-199/200", "\"a\"", null, 99L, "\"a\"", nameof(Resumption.AskAgain))]
    [InlineData(206, "bytes 99-199/200", "\"a\"", null, null, "\"a\"", nameof(Resumption.AskAgain))]
    [InlineData(206, "bytes 101-199/200", "\"a\"", null, null, "\"a\"", nameof(Resumption.AskAgain))]
    [InlineData(206, "bytes */200", "\"a\"", null, null, "\"a\"", nameof(Resumption.AskAgain))]
    [InlineData(206, null, "\"a\"", null, null, "\"a\"", nameof(Resumption.AskAgain))]
    [InlineData(206, "bytes 100-199/200", null, Date, null, Date, nameof(Resumption.Continues))]
    [InlineData(206, "bytes 100-199/200", null, SecondLater, null, Date, nameof(Resumption.AskAgain))]
    [InlineData(206, "bytes 100-199/200", null, null, null, "length=200", nameof(Resumption.Continues))]
    [InlineData(206, "bytes 100-200/201", null, null, null, "length=200", nameof(Resumption.AskAgain))]  // grew
    [InlineData(200, null, "\"b\"", null, 300L, "\"a\"", nameof(Resumption.Whole))]
    [InlineData(200, "bytes 100-199/200", "\"a\"", null, 100L, "\"a\"", nameof(Resumption.Whole))]
    [InlineData(416, "bytes */100", "\"a\"", null, 0L, "\"a\"", nameof(Resumption.AtEnd))]
    [InlineData(416, "bytes */100", null, null, 0L, "\"a\"", nameof(Resumption.AtEnd))]
    [InlineData(416, "bytes */99", "\"a\"", null, 0L, "\"a\"", nameof(Resumption.AskAgain))]  // shrank
    [InlineData(416, "bytes */100", "\"b\"", null, 0L, "\"a\"", nameof(Resumption.AskAgain))]
    [InlineData(416, null, null, null, 0L, "\"a\"", nameof(Resumption.AskAgain))]
    [InlineData(416, "bytes */100", null, null, 0L, "length=200", nameof(Resumption.AskAgain))]
    [InlineData(404, null, null, null, 0L, "\"a\"", nameof(Resumption.Failed))]
    [InlineData(204, null, null, null, null, "\"a\"", nameof(Resumption.Failed))]
    [InlineData(503, "bytes 100-199/200", "\"a\"", null, null, "\"a\"", nameof(Resumption.Failed))]
    public void The_rest_of_a_file_is_taken_only_if_it_is_the_rest_of_that_file(
        int status, string? range, string? eTag, string? modified, long? length, string mark, string expected)
    {
        var resumption = Resumption.Judge((HttpStatusCode)status, range, eTag, modified, length, from: 100, VersionMark.TryParse(mark)!);
        Assert.Equal(expected, resumption.GetType().Name);
    }
}
