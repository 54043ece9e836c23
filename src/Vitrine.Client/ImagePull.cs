using System.Buffers;
using System.Net;

namespace Vitrine.Client;

public sealed partial class LibraryClient
{
    /// <summary>
    /// Fetches the content of an image into a file, which appears only once it is complete and its SHA-256 is the image's.
    /// What came before an interruption is kept beside it, and the next pull of the same content goes on there.
    /// </summary>
    /// <param name="path">The file to make; one that is there is replaced at the end.</param>
    public async Task PullAsync(ImageRecord image, string path, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var part = PartOf(path, Content(image));
        await using (var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.Asynchronous))
        {
            using var pull = new ImagePull(this, image, progress);
            try
            {
                await pull.RunAsync(file, cancellationToken);
            }
            catch (LibraryClientException failure) when (failure.Code == ClientCodes.ChecksumMismatch)
            {
                // Going on from wrong bytes would never make them right.
                File.Delete(part);
                throw;
            }

            RandomAccess.FlushToDisk(file.SafeFileHandle);
        }

        File.Move(part, path, overwrite: true);
    }

    /// <summary>Fetches the content of an image into a stream, and throws at its end where its SHA-256 is not the image's.</summary>
    public async Task PullAsync(ImageRecord image, Stream output, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        Content(image);
        using var pull = new ImagePull(this, image, progress);
        await pull.RunAsync(output, cancellationToken);
    }

    /// <summary>Named for the content, so that what came of one is never taken for the beginning of another.</summary>
    internal static string PartOf(string path, string sha256) => $"{path}.{sha256[..12]}.part";

    private static string Content(ImageRecord image) => image.Sha256 ?? throw new LibraryClientException(
        ClientCodes.NoContent, $"Image {image.Id} is {image.Status} and has no content.", "Wait until it is active.");
}

/// <summary>The content of one image on its way from the library.</summary>
internal sealed class ImagePull(LibraryClient client, ImageRecord image, IProgress<TransferProgress>? progress) : IDisposable
{
    private const int BlockSize = 256 * 1024;
    private const string Zstd = "zstd";

    private readonly FileDigest _digest = new();

    // Null where the content is to come as it is, since nobody can unfold it, or could not what came.
    private Func<Stream, Stream>? _unfold = client.Options.UnfoldZstd;

    private long Length => image.Size!.Value;

    /// <summary>Goes on behind what a file has already.</summary>
    public async Task RunAsync(FileStream file, CancellationToken cancellationToken)
    {
        if (file.Length > Length)
            file.SetLength(0);
        await _digest.CatchUpAsync(file.SafeFileHandle, file.Length, cancellationToken);
        file.Position = file.Length;
        await RunAsync((Stream)file, cancellationToken);
    }

    public async Task RunAsync(Stream output, CancellationToken cancellationToken)
    {
        var patience = new Patience(client.Options.Patience, client.Time);
        while (_digest.Length < Length)
        {
            var before = _digest.Length;
            try
            {
                await FetchAsync(output, cancellationToken);
            }
            catch (LibraryClientException failure)
            {
                if (_digest.Length > before)
                    patience.Renew();
                await patience.WaitAsync(failure, cancellationToken);
            }
        }

        var got = _digest.Finish();
        if (got != image.Sha256)
        {
            throw new LibraryClientException(
                ClientCodes.ChecksumMismatch, $"The library has sha256:{image.Sha256}, but sha256:{got} came.", "Pull again; if it happens again, tell the operator.");
        }
    }

    public void Dispose() => _digest.Dispose();

    private async Task FetchAsync(Stream output, CancellationToken cancellationToken)
    {
        using var response = await client.OpenContentAsync(image.Id, image.Sha256!, _digest.Length, _unfold is null ? null : Zstd, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            await using var body = Unfold(response, await response.Content.ReadAsStreamAsync(cancellationToken));

            // Whoever gives the whole although a part was asked for is read past what is here.
            var offset = response.StatusCode is HttpStatusCode.PartialContent ? _digest.Length : 0;
            while (offset < Length)
                offset += await TakeBlockAsync(body, output, offset, buffer, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Stream Unfold(HttpResponseMessage response, Stream body) => string.Join(',', response.Content.Headers.ContentEncoding) switch
    {
        "" => body,
        Zstd when _unfold is not null => _unfold(body),
        var coding => throw new LibraryClientException(
            ClientCodes.NotALibrary, $"{client.Address.Authority} sent the image in the coding '{coding}', which was not asked for.", "Look what stands between here and the library."),
    };

    private async Task<int> TakeBlockAsync(Stream body, Stream output, long offset, byte[] buffer, CancellationToken cancellationToken)
    {
        // Never more than the image has, whatever the other end sends.
        var read = await ReadAsync(body, buffer.AsMemory(0, (int)Math.Min(BlockSize, Length - offset)), cancellationToken);
        var known = (int)Math.Clamp(_digest.Length - offset, 0, read);
        if (read > known)
        {
            await output.WriteAsync(buffer.AsMemory(known, read - known), cancellationToken);
            _digest.Append(offset, buffer.AsSpan(0, read));
            progress?.Report(new TransferProgress(_digest.Length, Length));
        }

        return read;
    }

    private async Task<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(client.Options.AnswerTimeout, client.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await body.ReadAsync(buffer, either.Token) is > 0 and var read
                ? read
                : throw new IOException("the connection was closed before the end of the file");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LibraryClientException(ClientCodes.Stalled, $"{client.Address.Authority} stopped sending.", "Try again later.");
        }
        catch (InvalidDataException failure)
        {
            // The rest is fetched as it is.
            _unfold = null;
            throw client.Unreachable(failure);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            throw client.Unreachable(failure);
        }
    }
}
