using Vitrine.Stores;
using Vitrine.Stores.FileSystem;

namespace Vitrine.UnitTests.Stores;

public sealed class FileSystemErrorsTests
{
    private readonly FileSystemErrors _errors = new("main", Path.GetTempPath());

    [Theory]
    [InlineData(UnixError.Access, "The store 'main' cannot be used: the service has no right to use its directory.")]
    [InlineData(UnixError.ReadOnlyFileSystem, "The store 'main' cannot be used: its file system is mounted read-only.")]
    [InlineData(UnixError.InputOutput, "The store 'main' cannot be used: its disk reports an input/output error.")]
    [InlineData(UnixError.Stale, "The store 'main' cannot be used: its network mount is stale and has to be mounted again.")]
    [InlineData(UnixError.HostDown, "The store 'main' cannot be used: its file server does not answer.")]
    [InlineData(71, "The store 'main' cannot be used: the operating system reports error 71.")]
    public void A_number_becomes_a_reason_without_a_path(int errno, string expected)
    {
        var failure = _errors.Explain(new IOException("/secret/path: bad", errno));
        Assert.Equal(expected, Assert.IsType<StoreUnavailableException>(failure).Message);
    }

    [Theory]
    [InlineData(UnixError.NoSpace)]
    [InlineData(UnixError.Quota)]
    public void A_full_disk_and_a_full_quota_say_how_much_was_needed_and_is_free(int errno)
    {
        var failure = Assert.IsType<StoreFullException>(_errors.Explain(new IOException("full", errno), needed: 7));
        Assert.Equal(7, failure.Needed);
        Assert.NotNull(failure.Free);
    }

    [Fact]
    public void Rights_that_the_runtime_names_in_its_own_way_are_rights()
    {
        var failure = _errors.Explain(new UnauthorizedAccessException("/secret/path", new IOException("denied", UnixError.ReadOnlyFileSystem)));
        Assert.Contains("read-only", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Real_errors_have_the_numbers_that_are_expected_of_them()
    {
        var missing = Record.Exception(() => File.OpenHandle("/nowhere/at/all"))!;
        Assert.Equal(UnixError.NoEntry, UnixError.Of(missing));

        var path = Path.GetTempFileName();
        using (File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Assert.Equal(UnixError.WouldBlock, UnixError.Of(Record.Exception(() => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))!));
        File.Delete(path);
    }
}
