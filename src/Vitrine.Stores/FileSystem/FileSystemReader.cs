namespace Vitrine.Stores.FileSystem;

/// <summary>A committed file. Its handle keeps it readable when its name is removed.</summary>
internal sealed class FileSystemReader : ContentReader
{
    private readonly FileStream _file;
    private readonly FileSystemErrors _errors;

    private FileSystemReader(FileStream file, FileSystemErrors errors)
    {
        _file = file;
        _errors = errors;
        Length = file.Length;
    }

    public override long Length { get; }

    public override FileStream File => _file;

    /// <exception cref="FileNotFoundException">There is no such content.</exception>
    public static FileSystemReader Open(string path, FileSystemErrors errors)
    {
        // Without a buffer and without a lock: the stream is a handle for sendfile, which asks for an asynchronous one, and for reads at an offset.
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
        try
        {
            return new FileSystemReader(file, errors);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await RandomAccess.ReadAsync(_file.SafeFileHandle, buffer, offset, cancellationToken);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            throw _errors.Explain(error);
        }
    }

    public override ValueTask DisposeAsync() => _file.DisposeAsync();
}
