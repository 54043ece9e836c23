using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>A plain file as content, for programs that have no store.</summary>
public sealed class FileContent : ContentReader
{
    private readonly FileStream _file;

    /// <exception cref="IOException">The file cannot be opened.</exception>
    public FileContent(string path)
        : this(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous))
    {
    }

    /// <param name="file">Belongs to the content from now on, and is not written to any more.</param>
    internal FileContent(FileStream file)
    {
        _file = file;
        Length = file.Length;
    }

    public override long Length { get; }

    public override FileStream File => _file;

    // Synchronous underneath: Linux has no other way to read a file, and most of what is asked for is in its cache.
    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        ValueTask.FromResult(RandomAccess.Read(_file.SafeFileHandle, buffer.Span, offset));

    public override ValueTask DisposeAsync() => _file.DisposeAsync();
}
