using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Formats.Native;

/// <summary>What a file system knows of the holes in a file. One that knows of none says that all is data.</summary>
internal static partial class FileHoles
{
    private const int SeekEnd = 2; // SEEK_END
    private const int SeekData = 3; // SEEK_DATA
    private const int SeekHole = 4; // SEEK_HOLE
    private const int NothingThere = 6; // ENXIO

    /// <returns>Where the first data are, from a position on; the greatest number there is where there are none.</returns>
    public static long FindData(SafeFileHandle file, long position) => Find(file, position, SeekData, otherwise: position);

    /// <returns>Where the first hole is, from a position that has data on; the greatest number there is where nothing is known.</returns>
    public static long FindHole(SafeFileHandle file, long position) =>
        Find(file, position, SeekHole, otherwise: long.MaxValue) is var hole && hole > position ? hole : long.MaxValue;

    /// <returns>How many bytes a block device has, of which the file system says none.</returns>
    public static long MeasureDevice(SafeFileHandle device) => Find(device, 0, SeekEnd, otherwise: 0);

    private static long Find(SafeFileHandle file, long position, int what, long otherwise)
    {
        // The numbers are those of Linux. The file's own position moves, but all reads here say where.
        if (!OperatingSystem.IsLinux())
            return otherwise;

        var found = lseek(file, position, what);
        return found >= 0 ? found : Marshal.GetLastPInvokeError() == NothingThere ? long.MaxValue : otherwise;
    }

    // lseek(2)
    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(SafeFileHandle file, long offset, int whence);
}
