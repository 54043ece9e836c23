using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Stores.FileSystem;

/// <summary>The calls to the C library that .NET does not wrap.</summary>
internal static partial class NativeFile
{
    /// <summary>Makes the names in a directory survive a power cut, as <see cref="SyncData"/> does for a file's bytes.</summary>
    /// <remarks>.NET opens files only, so the directory is opened here too.</remarks>
    public static void SyncDirectory(string path)
    {
        using var directory = open(path, OpenReadOnly | OpenCloseOnExec);
        Check(directory.IsInvalid ? -1 : fsync(directory));
    }

    /// <summary>Makes a file's bytes and length survive a power cut; times and rights may lag behind.</summary>
    public static void SyncData(SafeFileHandle file) => Check(fdatasync(file));

    /// <summary>Has a file that stays open taken to where it is kept, as far as a close does so, and throws what the close says of that.</summary>
    /// <remarks>Where the process has as many files open as it may, it says nothing.</remarks>
    public static void CheckClose(SafeFileHandle file)
    {
        var copy = fcntl(file, DuplicateCloseOnExec, 0);
        if (copy >= 0)
            Check(close(copy));
    }

    /// <summary>Asks the kernel to begin writing a range to the disk, so that a later sync finds little left to do.</summary>
    public static void StartWriteback(SafeFileHandle file, long offset, long length)
    {
        // A hint: where the file system does not take it, the sync does all of the work, as it would have anyway.
        _ = sync_file_range(file, offset, length, SyncFileRangeWrite);
    }

    /// <summary>Gives the pages of a range back, in so far as they are on the disk: whoever reads it reads from there.</summary>
    public static void Forget(SafeFileHandle file, long offset, long length)
    {
        // A hint, too.
        _ = posix_fadvise(file, offset, length, AdviceNotNeeded);
    }

    /// <summary>Gives a file another name in one step, replacing what has that name.</summary>
    /// <remarks>File.Move copies where a rename is not possible, and a copy can be seen half done.</remarks>
    public static void Rename(string from, string to) => Check(rename(from, to));

    /// <summary>Gives a file a second name, unless something has that name already.</summary>
    /// <returns>Whether something has it now; a file system may have no second names.</returns>
    public static bool TryLink(string from, string to) => link(from, to) == 0 || Marshal.GetLastPInvokeError() == UnixError.Exists;

    /// <returns>Null where there is nothing of that name.</returns>
    public static FileFacts? Find(string path)
    {
        var result = statx(CurrentDirectory, path, 0, StatxBasic, out var found);
        if (result != 0 && Marshal.GetLastPInvokeError() == UnixError.NoEntry)
            return null;

        Check(result);
        return Facts(found);
    }

    public static FileFacts Examine(SafeFileHandle file)
    {
        Check(statx(file, "", StatxEmptyPath, StatxBasic, out var found));
        return Facts(found);
    }

    private static FileFacts Facts(in Statx found) => new(
        new FileIdentity(found.DeviceMajor, found.DeviceMinor, found.Inode),
        (long)found.Size,
        DateTimeOffset.FromUnixTimeSeconds(found.ModifiedSeconds).AddTicks(found.ModifiedNanoseconds / TimeSpan.NanosecondsPerTick));

    private static void Check(int result)
    {
        if (result == 0)
            return;

        var errno = Marshal.GetLastPInvokeError();
        throw new IOException(Marshal.GetPInvokeErrorMessage(errno), errno);
    }

    private const int OpenReadOnly = 0; // O_RDONLY
    private const int OpenCloseOnExec = 0x80000; // O_CLOEXEC
    private const int DuplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC
    private const uint SyncFileRangeWrite = 2; // SYNC_FILE_RANGE_WRITE
    private const int AdviceNotNeeded = 4; // POSIX_FADV_DONTNEED
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int StatxEmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint StatxBasic = 0x7ff; // STATX_BASIC_STATS

    /// <summary>The fields of struct statx that are used here; unlike struct stat it is the same on every machine.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(32)] public ulong Inode; // stx_ino
        [FieldOffset(40)] public ulong Size; // stx_size
        [FieldOffset(112)] public long ModifiedSeconds; // stx_mtime.tv_sec
        [FieldOffset(120)] public uint ModifiedNanoseconds; // stx_mtime.tv_nsec
        [FieldOffset(136)] public uint DeviceMajor; // stx_dev_major
        [FieldOffset(140)] public uint DeviceMinor; // stx_dev_minor
    }

    // open(2)
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    // fsync(2)
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    // fdatasync(2)
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);

    // sync_file_range(2)
    [LibraryImport("libc", SetLastError = true)]
    private static partial int sync_file_range(SafeFileHandle file, long offset, long length, uint flags);

    // posix_fadvise(2)
    [LibraryImport("libc")]
    private static partial int posix_fadvise(SafeFileHandle file, long offset, long length, int advice);

    // fcntl(2): its third argument is passed as that of a function that has three
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);

    // close(2)
    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int file);

    // link(2)
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string from, string to);

    // rename(2)
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    // statx(2)
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, out Statx found);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, out Statx found);
}

/// <summary>What the file system says of a file.</summary>
internal readonly record struct FileFacts(FileIdentity Identity, long Length, DateTimeOffset LastWrite);

/// <summary>Equal for two names or handles of the same file.</summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode);
