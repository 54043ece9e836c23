namespace Vitrine.Stores.FileSystem;

/// <summary>Opens what is under staging/ so that one writer on one machine has each key at a time.</summary>
/// <remarks>
/// The lock is on the checkpoint and not on the content, because a commit moves the content to where it is read at once.
/// Names under staging/ are made, moved and removed by whoever holds it, and the checkpoint's name goes last.
/// </remarks>
internal static class StagingLock
{
    private const UnixFileMode Rights = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>Opens or makes the checkpoint of a key and locks it until it is closed.</summary>
    /// <exception cref="WriterBusyException">Somebody else has it open.</exception>
    public static FileStream Take(string checkpointPath, StagingKey key)
    {
        while (true)
        {
            var file = TryLock(checkpointPath, key);

            // Between opening and locking, the last holder may have removed the name. The lock is then one on nothing,
            // and has to be taken again on what has the name now.
            if (NativeFile.Find(checkpointPath)?.Identity == NativeFile.Examine(file.SafeFileHandle).Identity)
                return file;

            file.Dispose();
        }
    }

    /// <summary>Opens or makes the content of a key whose lock the caller holds.</summary>
    public static FileStream OpenContent(string path) => Open(path, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Removes what a key has under staging/. The caller holds the lock.</summary>
    public static void Remove(FileSystemLayout layout, StagingKey key)
    {
        File.Delete(layout.PathOf(key));
        File.Delete(layout.CheckpointPathOf(key));
    }

    private static FileStream TryLock(string path, StagingKey key)
    {
        try
        {
            // The runtime keeps others out with flock(2), which Linux carries to the file server on NFS.
            return Open(path, FileShare.None);
        }
        catch (IOException error) when (UnixError.Of(error) == UnixError.WouldBlock)
        {
            throw new WriterBusyException(key);
        }
    }

    private static FileStream Open(string path, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Rights;

        return new FileStream(path, options);
    }
}
