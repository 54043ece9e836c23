using Vitrine.Stores.FileSystem;

namespace Vitrine.UnitTests.Stores;

public sealed class NativeFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-native-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_name_and_a_handle_of_one_file_have_one_identity()
    {
        var (one, two) = (Make("one", 3), Make("two", 3));
        using var handle = File.OpenHandle(one);

        var facts = NativeFile.Examine(handle);
        Assert.Equal(facts, NativeFile.Find(one));
        Assert.Equal(3, facts.Length);
        Assert.NotEqual(facts.Identity, NativeFile.Find(two)!.Value.Identity);
    }

    [Fact]
    public void The_time_of_the_last_write_is_that_which_the_runtime_reads()
    {
        var path = Make("one", 1);
        File.SetLastWriteTimeUtc(path, new DateTime(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc));
        Assert.Equal(new FileInfo(path).LastWriteTimeUtc, NativeFile.Find(path)!.Value.LastWrite.UtcDateTime);
    }

    [Fact]
    public void What_is_not_there_is_not_found() => Assert.Null(NativeFile.Find(Path.Combine(_directory.FullName, "missing")));

    [Fact]
    public void A_rename_replaces_what_has_the_name()
    {
        var (one, two) = (Make("one", 1), Make("two", 2));
        NativeFile.Rename(one, two);
        Assert.Equal(1, new FileInfo(two).Length);
        Assert.False(File.Exists(one));
    }

    [Fact]
    public void A_failure_carries_the_number_of_the_system()
    {
        var error = Assert.Throws<IOException>(() => NativeFile.SyncDirectory(Path.Combine(_directory.FullName, "missing")));
        Assert.Equal(UnixError.NoEntry, UnixError.Of(error));
    }

    private string Make(string name, int length)
    {
        var path = Path.Combine(_directory.FullName, name);
        File.WriteAllBytes(path, new byte[length]);
        return path;
    }
}
