using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace Vitrine.Client;

/// <summary>A format that the library is asked to make of an image's disk while it sends it.</summary>
/// <param name="Format">raw, qcow2, vmdk, vhd or vhdx.</param>
/// <param name="Variant">A kind of that format, as <c>fixed</c> of vhd; null for the usual one.</param>
/// <param name="Compress">Whether the parts of a qcow2 are compressed.</param>
public sealed record DiskConversionRequest(string Format, string? Variant = null, bool Compress = false)
{
    internal string Query => $"?format={Uri.EscapeDataString(Format)}"
        + (Variant is null ? "" : $"&variant={Uri.EscapeDataString(Variant)}") + (Compress ? "&compress=true" : "");
}

public sealed partial class LibraryClient
{
    /// <summary>Fetches the disk of an image in another format into a file, which appears only once it is complete.</summary>
    /// <remarks>
    /// A cut connection is gone on from, where the format has ranges. Where the program ends, the next begins again.
    /// </remarks>
    /// <param name="path">The file to make; one that is there is replaced at the end.</param>
    public async Task PullAsync(
        ImageRecord image, DiskConversionRequest target, string path, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var part = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            await using (var file = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous))
            {
                await new ConvertedPull(this, image.Id, target, progress).RunAsync(file, cancellationToken);
                RandomAccess.FlushToDisk(file.SafeFileHandle);
            }

            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>Fetches the disk of an image in another format into a stream.</summary>
    public async Task PullAsync(ImageRecord image, DiskConversionRequest target, Stream output, CancellationToken cancellationToken)
    {
        using var response = await OpenConvertedAsync(image.Id, target, tag: null, offset: 0, cancellationToken);
        try
        {
            await response.Content.CopyToAsync(output, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            throw Unreachable(failure);
        }
    }

    /// <param name="tag">The content that the offset is of.</param>
    internal Task<HttpResponseMessage> OpenConvertedAsync(
        string id, DiskConversionRequest target, EntityTagHeaderValue? tag, long offset, CancellationToken cancellationToken) => SendAsync(
        () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, $"{PathOf(id)}/file{target.Query}");
            if (offset == 0 || tag is null)
                return request;

            request.Headers.Range = new(offset, null);
            request.Headers.IfRange = new(tag);
            return request;
        },
        cancellationToken);
}

/// <summary>One image on its way in another format.</summary>
internal sealed class ConvertedPull(LibraryClient client, string image, DiskConversionRequest target, IProgress<TransferProgress>? progress)
{
    private const int BlockSize = 256 * 1024;

    private EntityTagHeaderValue? _tag;

    public async Task RunAsync(FileStream file, CancellationToken cancellationToken)
    {
        var patience = new Patience(client.Options.Patience, client.Time);
        while (true)
        {
            var before = file.Length;
            try
            {
                await FetchAsync(file, cancellationToken);
                return;
            }
            catch (LibraryClientException failure)
            {
                if (file.Length > before)
                    patience.Renew();
                await patience.WaitAsync(failure, cancellationToken);
            }
        }
    }

    private async Task FetchAsync(FileStream file, CancellationToken cancellationToken)
    {
        using var response = await client.OpenConvertedAsync(image, target, _tag, file.Length, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.PartialContent)
            file.SetLength(0);
        file.Position = file.Length;
        _tag = response.Headers.ETag;
        var length = response.Content.Headers.ContentRange?.Length ?? response.Content.Headers.ContentLength;

        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            while (await ReadAsync(body, buffer, cancellationToken) is > 0 and var read)
            {
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                progress?.Report(new TransferProgress(file.Length, length ?? 0));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (length is not null && file.Length < length)
            throw client.Unreachable(new IOException("the connection was closed before the end of the file"));
    }

    private async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(client.Options.AnswerTimeout, client.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await body.ReadAsync(buffer.AsMemory(0, BlockSize), either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LibraryClientException(ClientCodes.Stalled, $"{client.Address.Authority} stopped sending.", "Try again later.");
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            throw client.Unreachable(failure);
        }
    }
}
