namespace Vitrine.Stores.FileSystem;

/// <summary>Makes a store of an empty directory, and holds every other one against what this version knows.</summary>
internal static class FileSystemFoundation
{
    /// <returns>Whether the store was made just now.</returns>
    public static bool Ensure(FileSystemLayout layout, FileSystemErrors errors)
    {
        if (!Directory.Exists(layout.Root))
            throw errors.NotMounted();

        var isNew = NativeFile.Find(layout.LayoutPath) is null;
        if (isNew)
            Begin(layout, errors);

        var number = File.ReadAllText(layout.LayoutPath).Trim();
        if (number != FileSystemLayout.Number)
            throw errors.Unavailable($"its directory has a layout that this version does not know; it knows number {FileSystemLayout.Number}.");

        EnsureDirectory(layout, layout.ContentRoot);
        EnsureDirectory(layout, layout.StagingRoot);
        return isNew;
    }

    /// <summary>Makes an empty directory again of a store that has nothing.</summary>
    public static void Dissolve(FileSystemLayout layout)
    {
        string[] folders = [layout.ContentRoot, layout.StagingRoot];
        if (Array.Exists(folders, f => Directory.EnumerateFileSystemEntries(f).Any()))
            return;

        foreach (var folder in folders)
            Directory.Delete(folder);
        File.Delete(layout.LayoutPath);
    }

    private static void Begin(FileSystemLayout layout, FileSystemErrors errors)
    {
        // The layout is looked for once more, because another node may be making the store right now, and it comes before all else.
        if (Directory.EnumerateFileSystemEntries(layout.Root).Any(e => !FileSystemLayout.MayPrecedeStore(Path.GetFileName(e)))
            && NativeFile.Find(layout.LayoutPath) is null)
            throw errors.Unavailable("its directory is not empty and is not a store.");

        var newPath = layout.NewLayoutPath();
        try
        {
            Write(newPath, FileSystemLayout.Number + "\n");

            // Nodes that begin at once write the same. What one of them reads is not replaced under it, where that can be helped: file servers
            // call it stale then.
            if (NativeFile.TryLink(newPath, layout.LayoutPath))
                File.Delete(newPath);
            else
                NativeFile.Rename(newPath, layout.LayoutPath);
        }
        catch
        {
            File.Delete(newPath);
            throw;
        }

        NativeFile.SyncDirectory(layout.Root);
    }

    private static void Write(string path, string text)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(file, System.Text.Encoding.ASCII.GetBytes(text), 0);
        NativeFile.SyncData(file);
    }

    private static void EnsureDirectory(FileSystemLayout layout, string path)
    {
        if (Directory.Exists(path))
            return;

        Directory.CreateDirectory(path);
        NativeFile.SyncDirectory(layout.Root);
    }
}
