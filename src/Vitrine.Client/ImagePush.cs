using System.Globalization;

namespace Vitrine.Client;

/// <param name="Moved">The bytes that are at the other end.</param>
/// <param name="Length">The length of the whole in bytes.</param>
public readonly record struct TransferProgress(long Moved, long Length);

public sealed partial class LibraryClient
{
    /// <summary>
    /// Sends a file to an upload that was begun, from where it stands to its end, and makes sure that the library has exactly
    /// the file. Connections that break and servers that restart are waited for.
    /// </summary>
    /// <param name="transfer">The id of the upload's transfer.</param>
    /// <param name="path">The file, of the length that was announced.</param>
    /// <returns>The active image.</returns>
    public async Task<ImageRecord> PushAsync(
        string transfer, string path, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        using var push = new ImagePush(this, transfer, file, progress);
        return await push.RunAsync(cancellationToken);
    }

    /// <summary>How many bytes the library has of an upload.</summary>
    internal async Task<long> FindOffsetAsync(string transfer, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => Tus(new HttpRequestMessage(HttpMethod.Head, UploadPath(transfer))), cancellationToken);
        return response.Headers.TryGetValues("Upload-Offset", out var values)
            && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : throw new LibraryClientException(ClientCodes.NotALibrary, $"{Address.Authority} does not say how far the upload is.", "Check the address.");
    }

    internal async Task AppendAsync(string transfer, Func<UploadContent> makeContent, long offset, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            () =>
            {
                var request = Tus(new HttpRequestMessage(HttpMethod.Patch, UploadPath(transfer)) { Content = makeContent() });
                request.Headers.Add("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture));

                // A server that refuses says so before the bytes are sent.
                request.Headers.ExpectContinue = true;
                return request;
            },
            cancellationToken);
    }

    private static HttpRequestMessage Tus(HttpRequestMessage request)
    {
        request.Headers.Add("Tus-Resumable", "1.0.0");
        return request;
    }

    private static string UploadPath(string transfer) => $"uploads/{Uri.EscapeDataString(transfer)}";
}

/// <summary>One file on its way to the library.</summary>
internal sealed class ImagePush(LibraryClient client, string transfer, FileStream file, IProgress<TransferProgress>? progress) : IDisposable
{
    private readonly FileDigest _digest = new();
    private readonly long _length = file.Length;
    private readonly DateTime _lastWrite = File.GetLastWriteTimeUtc(file.SafeFileHandle);

    public async Task<ImageRecord> RunAsync(CancellationToken cancellationToken)
    {
        var patience = new Patience(client.Options.Patience, client.Time);
        var reached = -1L;
        while (await TryStepAsync(patience, cancellationToken) is { } offset)
        {
            if (offset > reached)
                patience.Renew();
            reached = Math.Max(reached, offset);
        }

        return await ConfirmAsync(patience, cancellationToken);
    }

    public void Dispose() => _digest.Dispose();

    /// <returns>How far the upload was; null once the library has checked all of it.</returns>
    private async Task<long?> TryStepAsync(Patience patience, CancellationToken cancellationToken)
    {
        try
        {
            var state = await client.GetTransferAsync(transfer, cancellationToken);
            if (state.IsOver)
                return state.State == "done" ? null : throw Failed(state);

            // With all bytes there an empty request still has the library check them, if it died before it did.
            var offset = await client.FindOffsetAsync(transfer, cancellationToken);
            await _digest.CatchUpAsync(file.SafeFileHandle, Math.Min(offset, _length), cancellationToken);
            progress?.Report(new TransferProgress(offset, _length));
            await client.AppendAsync(
                transfer, () => new UploadContent(file.SafeFileHandle, offset, _length, _digest, progress), offset, cancellationToken);
            return _length;
        }
        catch (LibraryClientException failure) when (failure.Code is "upload-offset" or "transfer-state" or "transfer-lost" || failure.MayPass)
        {
            // Whatever happened to the other end, it knows best how far it is.
            await patience.WaitAsync(AsPassing(failure), cancellationToken);
            return _digest.Length;
        }
    }

    /// <summary>What one end knows and the other not yet is no refusal: the next look tells.</summary>
    private static LibraryClientException AsPassing(LibraryClientException failure) => failure.MayPass
        ? failure
        : new LibraryClientException(ClientCodes.Unreachable, failure.Message, failure.Remedy, failure);

    private async Task<ImageRecord> ConfirmAsync(Patience patience, CancellationToken cancellationToken)
    {
        await _digest.CatchUpAsync(file.SafeFileHandle, _length, cancellationToken);
        if (RandomAccess.GetLength(file.SafeFileHandle) != _length || File.GetLastWriteTimeUtc(file.SafeFileHandle) != _lastWrite)
            throw FileDigest.FileChanged();

        var sent = _digest.Finish();
        var state = await patience.TryAsync(() => client.GetTransferAsync(transfer, cancellationToken), cancellationToken);
        var image = await patience.TryAsync(() => client.GetImageAsync(state.Image, cancellationToken), cancellationToken);
        var received = image.SourceFile?.Sha256 ?? image.Sha256;
        return received == sent
            ? image
            : throw new LibraryClientException(
                ClientCodes.ChecksumMismatch, $"The library received sha256:{received}, but the file is sha256:{sent}.",
                "Do not use the image: delete it and push the file again.");
    }

    private static LibraryClientException Failed(TransferRecord state) => new(
        state.Failure?.Code ?? ClientCodes.TransferFailed,
        state.Failure?.Cause ?? "The upload was cancelled.",
        state.Failure?.Remedy ?? "Begin a new one.");
}
