namespace Vitrine.Stores.FileSystem;

/// <summary>A file that is locked for as long as it is open.</summary>
internal static class FileLock
{
    private const UnixFileMode Rights = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>Opens or makes a file and locks it. Its name is removed when the lock is let go.</summary>
    /// <returns>Null where somebody else holds it.</returns>
    public static IAsyncDisposable? TryTake(string path) => TryOpen(path) is { } file ? new Held(path, file) : null;

    /// <summary>Opens or makes a file and locks it. Whoever holds it may remove the name.</summary>
    /// <returns>Null where somebody else holds it.</returns>
    public static FileStream? TryOpen(string path)
    {
        while (true)
        {
            try
            {
                if (TryLock(path) is not { } file)
                    return null;

                // Between opening and locking, the last holder may have removed the name. The lock is then one on nothing,
                // and has to be taken again on what has the name now.
                if (IsOf(path, file))
                    return file;

                file.Dispose();
            }
            catch (FileNotFoundException)
            {
                // It was made or found, and its name removed before it could be looked at.
            }
        }
    }

    public static FileStream Open(string path, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Rights;

        return new FileStream(path, options);
    }

    private static bool IsOf(string path, FileStream file)
    {
        try
        {
            return NativeFile.Find(path) is { } named && IsSame(named.Identity, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static bool IsSame(FileIdentity named, FileStream file)
    {
        try
        {
            return NativeFile.Examine(file.SafeFileHandle).Identity == named;
        }
        catch (IOException error) when (UnixError.Of(error) is UnixError.Stale or UnixError.NoEntry)
        {
            // A file server forgets a file whose name another machine removes, be it open here.
            return false;
        }
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            // The runtime keeps others out with flock(2), which Linux carries to the file server on NFS.
            return Open(path, FileShare.None);
        }
        catch (IOException error) when (UnixError.Of(error) == UnixError.WouldBlock)
        {
            return null;
        }
    }

    private sealed class Held(string path, FileStream file) : IAsyncDisposable
    {
        private bool _isOver;

        public ValueTask DisposeAsync()
        {
            // By then the name may be that of somebody else's lock.
            if (_isOver)
                return ValueTask.CompletedTask;

            _isOver = true;
            try
            {
                File.Delete(path);
            }
            catch (Exception error) when (UnixError.IsBehind(error))
            {
                // The lock ends with the file that is open; its name is taken by whoever comes next.
            }

            return file.DisposeAsync();
        }
    }
}
