using System.IO.Pipelines;
using System.Net.Sockets;

namespace Vitrine.Server.Serving;

/// <summary>What the HTTP server writes on one connection, sent on the socket by ourselves, so that files can go by sendfile(2).</summary>
/// <remarks>
/// The server counts and orders what it writes through the ordinary calls of a <see cref="PipeWriter"/>. Between
/// <see cref="BeginFile"/> and <see cref="EndFile"/> the memory it asks for is scratch that nobody fills: the bytes that it
/// advances over are the next bytes of the file, which the kernel moves to the socket without our touching them. A flush is
/// over when the kernel has everything, which is what keeps headers, files and further answers in order.
/// </remarks>
internal sealed class SocketOutput(Socket socket, PipeWriter transport, Action abort) : PipeWriter, IDisposable
{
    /// <summary>How much of a file goes between two flushes; the server's own time limits apply to each.</summary>
    public const int FilePiece = 4 * 1024 * 1024;

    // Never read and never written, so that the operating system never backs it with memory.
    private static readonly byte[] Scratch = GC.AllocateUninitializedArray<byte>(FilePiece);

    // Flushing drains the pipe at once, so it must never hold the server up by itself.
    private readonly Pipe _written = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly FileSending _sending = new(socket);

    private FileStream? _file;
    private long _fileOffset;
    private int _filePending;
    private bool _broken;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written.Writer.UnflushedBytes + _filePending;

    public void BeginFile(FileStream file, long offset) => (_file, _fileOffset) = (file, offset);

    public void EndFile() => _file = null;

    public override Memory<byte> GetMemory(int sizeHint = 0) =>
        _file is null ? _written.Writer.GetMemory(sizeHint) : Scratch.AsMemory(_filePending);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_file is null)
            _written.Writer.Advance(bytes);
        else
            _filePending += bytes;
    }

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await SendWrittenAsync(cancellationToken);
            await SendFileAsync();
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException or IOException)
        {
            // The client is gone. The server learns it from the connection, and from nothing being taken any more.
            _broken = true;
            abort();
        }

        return new FlushResult(isCanceled: false, isCompleted: _broken);
    }

    public override void CancelPendingFlush() => transport.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => _ = CompleteAsync(exception).AsTask();

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        await FlushAsync(CancellationToken.None);
        await _written.Writer.CompleteAsync();
        await _written.Reader.CompleteAsync();
        Dispose();
        await transport.CompleteAsync(exception);
    }

    public void Dispose() => _sending.Dispose();

    private async ValueTask SendWrittenAsync(CancellationToken cancellationToken)
    {
        if (_written.Writer.UnflushedBytes == 0)
            return;

        await _written.Writer.FlushAsync(cancellationToken);
        if (!_written.Reader.TryRead(out var read))
            return;

        try
        {
            foreach (var segment in read.Buffer)
                await SendAsync(segment, cancellationToken);
        }
        finally
        {
            _written.Reader.AdvanceTo(read.Buffer.End);
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0 && !_broken)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }

    private async ValueTask SendFileAsync()
    {
        if (_filePending == 0)
            return;

        var (offset, count) = (_fileOffset, _filePending);
        (_fileOffset, _filePending) = (offset + count, 0);
        if (!_broken)
            await _sending.SendAsync(_file!, offset, count);
    }
}
