using Vitrine.Formats.Native;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>A file or a block device as content, for programs that have no store.</summary>
public sealed class FileContent : ContentReader
{
    private readonly FileStream _file;

    /// <exception cref="IOException">There is none, or it cannot be opened.</exception>
    public FileContent(string path)
        : this(Open(path))
    {
        if (FileKinds.Of(path) is FileKind.BlockDevice)
            Length = FileHoles.MeasureDevice(_file.SafeFileHandle);
    }

    /// <param name="file">Belongs to the content from now on, and is not written to any more.</param>
    internal FileContent(FileStream file)
    {
        _file = file;
        Length = file.Length;
    }

    public override long Length { get; }

    /// <summary>Whether a new file may take the place of what is at a path: nothing, or a plain file.</summary>
    public static bool IsReplaceable(string path) => !Path.Exists(path) || FileKinds.Of(path) is FileKind.Plain or FileKind.Unknown;

    public override FileStream File => _file;

    // Synchronous underneath: Linux has no other way to read a file, and most of what is asked for is in its cache.
    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        ValueTask.FromResult(RandomAccess.Read(_file.SafeFileHandle, buffer.Span, offset));

    public override ValueTask DisposeAsync() => _file.DisposeAsync();

    private static FileStream Open(string path) => FileKinds.Of(path) switch
    {
        FileKind.Directory => throw new IOException($"{path} is a directory, where an image is a file."),
        FileKind.Pipe => throw new IOException($"{path} is a pipe, and an image is read at any place: store it in a file first."),
        FileKind.Socket => throw new IOException($"{path} is a socket, where an image is a file."),
        FileKind.CharacterDevice => throw new IOException($"{path} is a device without blocks, where an image is a file or a block device."),
        _ => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous),
    };
}
