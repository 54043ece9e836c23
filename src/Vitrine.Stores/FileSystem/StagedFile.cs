namespace Vitrine.Stores.FileSystem;

/// <summary>Opens files under staging/ so that one process on one machine has each of them at a time.</summary>
internal static class StagedFile
{
    private const UnixFileMode Rights = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <param name="path">The content's or its checkpoint's; the content is locked first and the checkpoint by whoever has the content.</param>
    /// <exception cref="WriterBusyException">Somebody else has it open.</exception>
    public static FileStream OpenLocked(string path, StagingKey key)
    {
        while (true)
        {
            var file = Open(path, key);

            // Between opening and locking, the last holder may have committed or discarded the file. The lock is then
            // one on content, or on nothing, and has to be taken again on what has the name now.
            if (NativeFile.Find(path)?.Identity == NativeFile.Examine(file.SafeFileHandle).Identity)
                return file;

            file.Dispose();
        }
    }

    /// <summary>Removes what a failed open has made. The caller holds the lock.</summary>
    public static void RemoveIfEmpty(FileSystemLayout layout, StagingKey key, FileStream locked)
    {
        try
        {
            if (locked.Length == 0)
                Remove(layout, key);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The failure that led here says more.
        }
    }

    /// <summary>The caller holds the lock.</summary>
    public static void Remove(FileSystemLayout layout, StagingKey key)
    {
        File.Delete(layout.PathOf(key));
        File.Delete(layout.CheckpointPathOf(key));
    }

    private static FileStream Open(string path, StagingKey key)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            // The runtime keeps others out with flock(2), which Linux carries to the file server on NFS.
            Share = FileShare.None,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Rights;

        try
        {
            return new FileStream(path, options);
        }
        catch (IOException error) when (UnixError.Of(error) == UnixError.WouldBlock)
        {
            throw new WriterBusyException(key);
        }
    }
}
