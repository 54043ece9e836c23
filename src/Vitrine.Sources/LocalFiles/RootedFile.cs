using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Vitrine.Transfers;

namespace Vitrine.Sources.LocalFiles;

/// <summary>A plain file that was opened below a directory, and cannot lie anywhere else.</summary>
/// <remarks>
/// The kernel itself resolves the path within the directory (openat2(2), since Linux 5.6): no link, no mount and no rename at the
/// wrong moment leads out of it.
/// </remarks>
internal sealed partial class RootedFile : IDisposable
{
    private const int OpenAt2 = 437; // SYS_openat2, on every processor
    private const int ReadOnly = 0x80000 | 0x800; // O_RDONLY | O_CLOEXEC | O_NONBLOCK: to open a pipe would wait for its writer
    private const int PathOnly = 0x80000 | 0x200000; // O_CLOEXEC | O_PATH
    private const int CurrentDirectory = -100; // AT_FDCWD, which an absolute path does not look at
    private const int NoXdev = 0x01; // RESOLVE_NO_XDEV
    private const int NoMagicLinks = 0x02; // RESOLVE_NO_MAGICLINKS
    private const int Beneath = 0x08; // RESOLVE_BENEATH
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint BasicStats = 0x7ff; // STATX_BASIC_STATS

    // struct statx, which is the same on every processor.
    private const int StatusLength = 256;
    private const int ModeOffset = 28;
    private const int InodeOffset = 32;
    private const int SizeOffset = 40;
    private const int ModifiedOffset = 112;
    private const int NanosecondsOffset = 120;
    private const int TypeMask = 0xf000; // S_IFMT
    private const int Plain = 0x8000; // S_IFREG

    private readonly SafeFileHandle _handle;

    private RootedFile(SafeFileHandle handle) => _handle = handle;

    /// <param name="path">Relative to the directory.</param>
    /// <exception cref="SourceException">There is no such file there, it may not be read, or it is none.</exception>
    public static RootedFile Open(string directory, string path)
    {
        using var root = OpenBelow(null, directory, PathOnly, 0);
        var file = new RootedFile(OpenBelow(root, path, ReadOnly, Beneath | NoMagicLinks | NoXdev));
        try
        {
            file.Look();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>What the file is now: its length, and a mark that changes with every change of it.</summary>
    public (long Length, string Mark) Look()
    {
        Span<byte> status = stackalloc byte[StatusLength];
        if (statx(_handle, "", EmptyPath, BasicStats, status) != 0)
            throw Failure(Marshal.GetLastPInvokeError());
        if ((BinaryPrimitives.ReadUInt16LittleEndian(status[ModeOffset..]) & TypeMask) != Plain)
            throw new SourceException(SourceFault.Refused, "What is there is no plain file.", mayPass: false);

        var length = BinaryPrimitives.ReadInt64LittleEndian(status[SizeOffset..]);
        var mark = string.Create(
            CultureInfo.InvariantCulture,
            $"\"{BinaryPrimitives.ReadUInt64LittleEndian(status[InodeOffset..]):x}-{BinaryPrimitives.ReadInt64LittleEndian(status[ModifiedOffset..]):x}.{BinaryPrimitives.ReadUInt32LittleEndian(status[NanosecondsOffset..]):x}-{length:x}\"");
        return (length, mark);
    }

    public FileStream Read(long from)
    {
        var stream = new FileStream(_handle, FileAccess.Read, bufferSize: 0);
        stream.Position = from;
        return stream;
    }

    public void Dispose() => _handle.Dispose();

    private static SafeFileHandle OpenBelow(SafeFileHandle? directory, string path, int flags, int resolve)
    {
        var how = new OpenHow { Flags = (ulong)flags, Resolve = (ulong)resolve };
        var opened = (int)openat2(OpenAt2, directory is null ? CurrentDirectory : (int)directory.DangerousGetHandle(), path, in how, OpenHow.Length);
        return opened >= 0 ? new SafeFileHandle(opened, ownsHandle: true) : throw Failure(Marshal.GetLastPInvokeError());
    }

    private static SourceException Failure(int error) => error switch
    {
        2 or 20 => new(SourceFault.Status, "There is no such file.", mayPass: false), // ENOENT, ENOTDIR
        13 or 1 => new(SourceFault.Status, "The file may not be read by this service.", mayPass: false), // EACCES, EPERM
        11 => new(SourceFault.Broken, "The directories above the file were just renamed.", mayPass: true), // EAGAIN
        18 or 40 => new(SourceFault.Refused, "The policy refuses this source: the path leads out of its directory.", mayPass: false), // EXDEV, ELOOP
        38 => new(SourceFault.Refused, "This node's system cannot open files below a directory safely; it needs Linux 5.6.", mayPass: false), // ENOSYS
        _ => new(SourceFault.Broken, $"The file could not be opened: error {error}.", mayPass: true),
    };

    // openat2(2), for which the C library has no function of its own
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint openat2(nint number, nint directory, string path, in OpenHow how, nuint length);

    // statx(2)
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> status);

    /// <summary>struct open_how</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public const int Length = 24;

        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }
}
