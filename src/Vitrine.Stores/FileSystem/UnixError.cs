namespace Vitrine.Stores.FileSystem;

/// <summary>The numbers by which Linux names what went wrong with a file: errno(3).</summary>
internal static class UnixError
{
    public const int NotPermitted = 1; // EPERM
    public const int NoEntry = 2; // ENOENT
    public const int InputOutput = 5; // EIO
    public const int NoSuchDevice = 6; // ENXIO
    public const int WouldBlock = 11; // EWOULDBLOCK, EAGAIN
    public const int Access = 13; // EACCES
    public const int Exists = 17; // EEXIST
    public const int CrossDevice = 18; // EXDEV
    public const int NoDevice = 19; // ENODEV
    public const int NotDirectory = 20; // ENOTDIR
    public const int TooManyOpenInSystem = 23; // ENFILE
    public const int TooManyOpen = 24; // EMFILE
    public const int FileTooBig = 27; // EFBIG
    public const int NoSpace = 28; // ENOSPC
    public const int ReadOnlyFileSystem = 30; // EROFS
    public const int NotConnected = 107; // ENOTCONN
    public const int TimedOut = 110; // ETIMEDOUT
    public const int HostDown = 112; // EHOSTDOWN
    public const int Stale = 116; // ESTALE
    public const int Quota = 122; // EDQUOT

    public static bool IsBehind(Exception error) => error is IOException or UnauthorizedAccessException;

    /// <summary>The number behind an exception of .NET's.</summary>
    public static int Of(Exception error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException => NoEntry,
        UnauthorizedAccessException { InnerException: IOException inner } => inner.HResult,
        UnauthorizedAccessException => Access,
        _ => error.HResult,
    };
}
