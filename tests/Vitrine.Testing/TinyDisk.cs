using System.Diagnostics;

namespace Vitrine.Testing;

/// <summary>A file system of its own, in memory, that a test may fill or make read-only.</summary>
public sealed class TinyDisk : IDisposable
{
    private TinyDisk(string path) => Root = path;

    public string Root { get; }

    /// <param name="size">In bytes; rounded up to whole pages.</param>
    public static TinyDisk Mount(long size)
    {
        var path = Directory.CreateTempSubdirectory("vitrine-disk-").FullName;
        if (!TryRun("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path))
            throw new InvalidOperationException("A file system could not be mounted.");

        return new TinyDisk(path);
    }

    public void MakeReadOnly()
    {
        if (!TryRun("mount", "-o", "remount,ro", Root))
            throw new InvalidOperationException("The file system could not be made read-only.");
    }

    /// <summary>Takes the file system away and leaves the empty directory, as a failed mount does.</summary>
    public void Unmount() => TryRun("umount", "--lazy", Root);

    public void Dispose()
    {
        Unmount();
        Directory.Delete(Root);
    }

    internal static bool CanMount()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return false;

        try
        {
            using var disk = Mount(64 * 1024);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
