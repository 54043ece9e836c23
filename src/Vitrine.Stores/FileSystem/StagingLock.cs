namespace Vitrine.Stores.FileSystem;

/// <summary>Opens what is under staging/ so that one writer on one machine has each key at a time.</summary>
/// <remarks>
/// The lock is on the checkpoint and not on the content, because a commit moves the content to where it is read at once.
/// Names under staging/ are made, moved and removed by whoever holds it, and the checkpoint's name goes last.
/// </remarks>
internal static class StagingLock
{
    /// <summary>Opens or makes the checkpoint of a key and locks it until it is closed.</summary>
    /// <exception cref="WriterBusyException">Somebody else has it open.</exception>
    public static FileStream Take(string checkpointPath, StagingKey key) => FileLock.TryOpen(checkpointPath) ?? throw new WriterBusyException(key);

    /// <summary>Opens or makes the content of a key whose lock the caller holds.</summary>
    public static FileStream OpenContent(string path) => FileLock.Open(path, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Removes what a key has under staging/. The caller holds the lock.</summary>
    public static void Remove(FileSystemLayout layout, StagingKey key)
    {
        File.Delete(layout.PathOf(key));
        File.Delete(layout.CheckpointPathOf(key));
    }
}
