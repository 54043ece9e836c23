using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Vitrine.Formats.Native;

/// <summary>What lies at a path, asked without opening it: to open a pipe waits for whoever writes to it.</summary>
internal static partial class FileKinds
{
    private const int AtCurrentDirectory = -100; // AT_FDCWD
    private const uint AskForType = 1; // STATX_TYPE

    // struct statx, which is the same on every processor.
    private const int StatusLength = 256;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xf000; // S_IFMT

    /// <summary>Links are followed. What cannot be looked at is unknown, and whoever opens it hears why.</summary>
    public static FileKind Of(string path)
    {
        if (Directory.Exists(path))
            return FileKind.Directory;
        if (!OperatingSystem.IsLinux())
            return FileKind.Unknown;

        Span<byte> status = stackalloc byte[StatusLength];
        return statx(AtCurrentDirectory, path, 0, AskForType, status) == 0
            ? (FileKind)(BinaryPrimitives.ReadUInt16LittleEndian(status[ModeOffset..]) & TypeMask)
            : FileKind.Unknown;
    }

    // statx(2)
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> status);
}

internal enum FileKind
{
    Unknown = 0,

    /// <summary>S_IFIFO</summary>
    Pipe = 0x1000,

    /// <summary>S_IFCHR</summary>
    CharacterDevice = 0x2000,

    /// <summary>S_IFDIR</summary>
    Directory = 0x4000,

    /// <summary>S_IFBLK</summary>
    BlockDevice = 0x6000,

    /// <summary>S_IFREG</summary>
    Plain = 0x8000,

    /// <summary>S_IFSOCK</summary>
    Socket = 0xc000,
}
