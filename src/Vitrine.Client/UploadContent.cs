using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Client;

/// <summary>A file from an offset on, as the body of a request. What is sent is hashed on its way.</summary>
internal sealed class UploadContent : HttpContent
{
    private const int BlockSize = 256 * 1024;

    private readonly SafeFileHandle _file;
    private readonly long _offset;
    private readonly long _end;
    private readonly FileDigest? _digest;
    private readonly IProgress<TransferProgress>? _progress;

    /// <param name="digest">Null where the bytes are hashed otherwise, as those of a part are, which come in no order.</param>
    public UploadContent(SafeFileHandle file, long offset, long end, FileDigest? digest, IProgress<TransferProgress>? progress)
    {
        (_file, _offset, _end, _digest, _progress) = (file, offset, end, digest, progress);
        Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            for (var offset = _offset; offset < _end;)
                offset += await SendBlockAsync(stream, offset, buffer, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = Math.Max(0, _end - _offset);
        return true;
    }

    private async Task<int> SendBlockAsync(Stream stream, long offset, byte[] buffer, CancellationToken cancellationToken)
    {
        var wanted = (int)Math.Min(buffer.Length, _end - offset);
        var read = await RandomAccess.ReadAsync(_file, buffer.AsMemory(0, wanted), offset, cancellationToken);
        if (read == 0)
            throw FileDigest.FileChanged();

        // The sum is computed while the network takes the block, which the buffer must outlast.
        var sending = stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        try
        {
            _digest?.Append(offset, buffer.AsSpan(0, read));
        }
        finally
        {
            await sending;
        }

        _progress?.Report(new TransferProgress(offset + read, _end));
        return read;
    }
}
