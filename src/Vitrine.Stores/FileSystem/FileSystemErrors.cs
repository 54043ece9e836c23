namespace Vitrine.Stores.FileSystem;

/// <summary>Says in the domain's words what the file system says in numbers. No path leaves the store in them.</summary>
internal sealed class FileSystemErrors(string store, string root)
{
    /// <param name="needed">How many bytes were to be written; null where none were.</param>
    public LibraryException Explain(Exception error, long? needed = null) => UnixError.Of(error) switch
    {
        UnixError.NoSpace or UnixError.Quota => new StoreFullException(store, needed, FindFree(), error),
        var errno => new StoreUnavailableException(store, Reason(errno), error),
    };

    public StoreUnavailableException Unavailable(string reason, Exception? inner = null) => new(store, reason, inner);

    /// <summary>What is meant when the store's own directories are gone: another disk, or none, is at their place.</summary>
    public StoreUnavailableException NotMounted(Exception? inner = null) => Unavailable(Reason(UnixError.NoEntry), inner);

    private long? FindFree()
    {
        try
        {
            return new DriveInfo(root).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Reason(int errno) => errno switch
    {
        UnixError.Access or UnixError.NotPermitted => "the service has no right to use its directory.",
        UnixError.ReadOnlyFileSystem => "its file system is mounted read-only.",
        UnixError.InputOutput => "its disk reports an input/output error.",
        UnixError.Stale => "its network mount is stale and has to be mounted again.",
        UnixError.NoEntry or UnixError.NotDirectory => "its directory is not there; the mount may be missing.",
        UnixError.NoDevice or UnixError.NoSuchDevice => "its disk is gone.",
        UnixError.NotConnected or UnixError.TimedOut or UnixError.HostDown => "its file server does not answer.",
        UnixError.TooManyOpen or UnixError.TooManyOpenInSystem => "too many files are open on this machine.",
        UnixError.FileTooBig => "its file system cannot hold a file of this length.",
        UnixError.CrossDevice => "its content and staging directories are on different file systems.",
        _ => $"the operating system reports error {errno}.",
    };
}
