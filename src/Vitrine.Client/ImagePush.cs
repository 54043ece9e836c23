using System.Globalization;

namespace Vitrine.Client;

/// <param name="Moved">The bytes that are at the other end.</param>
/// <param name="Length">The length of the whole in bytes.</param>
public readonly record struct TransferProgress(long Moved, long Length);

public sealed partial class LibraryClient
{
    /// <inheritdoc cref="PushAsync(string, string, int, IProgress{TransferProgress}?, CancellationToken)"/>
    public Task<ImageRecord> PushAsync(string transfer, string path, IProgress<TransferProgress>? progress, CancellationToken cancellationToken) =>
        PushAsync(transfer, path, parallel: 1, progress, cancellationToken);

    /// <summary>
    /// Sends a file to an upload that was begun, from where it stands to its end, and makes sure that the library has exactly
    /// the file. Connections that break and servers that restart are waited for.
    /// </summary>
    /// <param name="transfer">The id of the upload's transfer.</param>
    /// <param name="path">The file, of the length that was announced.</param>
    /// <param name="parallel">By how many connections at once; the store needs room for the file twice where they are several.</param>
    /// <returns>The active image.</returns>
    public async Task<ImageRecord> PushAsync(
        string transfer, string path, int parallel, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parallel, 1);
        await using var stream = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        using var file = new PushedFile(stream);
        var patience = new Patience(_options.Patience, Time);
        var state = await patience.TryAsync(() => GetTransferAsync(transfer, cancellationToken), cancellationToken);
        var parts = await patience.TryAsync(() => ListUploadPartsAsync(transfer, cancellationToken), cancellationToken);
        return parts.Count > 0 || (parallel > 1 && state is { Moved: 0, IsOver: false })
            ? await new ImagePushInParts(this, transfer, file, parallel, progress).RunAsync(parts, cancellationToken)
            : await new ImagePush(this, transfer, file, progress).RunAsync(cancellationToken);
    }

    /// <summary>The parts of an upload, in the order in which they were begun.</summary>
    public async Task<IReadOnlyList<UploadPartRecord>> ListUploadPartsAsync(string transfer, CancellationToken cancellationToken) =>
        (await GetAsync($"{TransferPath(transfer)}/parts", LibraryJson.Default.UploadPartList, cancellationToken)).Items;

    /// <returns>The path of the new part.</returns>
    internal async Task<string> BeginUploadPartAsync(string transfer, long length, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            () =>
            {
                var request = Tus(new HttpRequestMessage(HttpMethod.Post, UploadPath(transfer)));
                request.Headers.Add("Upload-Concat", "partial");
                request.Headers.Add("Upload-Length", length.ToString(CultureInfo.InvariantCulture));
                return request;
            },
            cancellationToken);
        return response.Headers.Location?.ToString()
            ?? throw new LibraryClientException(ClientCodes.NotALibrary, $"{Address.Authority} does not say where the part goes.", "Check the address.");
    }

    /// <summary>Says that these parts, in this order, are the whole.</summary>
    internal async Task JoinUploadPartsAsync(string transfer, IReadOnlyList<string> parts, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            () =>
            {
                var request = Tus(new HttpRequestMessage(HttpMethod.Post, UploadPath(transfer)));
                request.Headers.Add("Upload-Concat", $"final;{string.Join(' ', parts)}");
                return request;
            },
            cancellationToken);
    }

    /// <summary>How many bytes the library has of an upload, or of a part of one.</summary>
    /// <param name="path">Where it is sent to.</param>
    internal async Task<long> FindOffsetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => Tus(new HttpRequestMessage(HttpMethod.Head, Relative(path))), cancellationToken);
        return response.Headers.TryGetValues("Upload-Offset", out var values)
            && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : throw new LibraryClientException(ClientCodes.NotALibrary, $"{Address.Authority} does not say how far the upload is.", "Check the address.");
    }

    internal async Task AppendAsync(string path, Func<UploadContent> makeContent, long offset, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            () =>
            {
                var request = Tus(new HttpRequestMessage(HttpMethod.Patch, Relative(path)) { Content = makeContent() });
                request.Headers.Add("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture));

                // A server that refuses says so before the bytes are sent.
                request.Headers.ExpectContinue = true;
                return request;
            },
            cancellationToken);
    }

    internal static string UploadPath(string transfer) => $"uploads/{Uri.EscapeDataString(transfer)}";

    // The library may lie below a path of its own, of which it knows nothing.
    private static string Relative(string path) => path.TrimStart('/');

    private static HttpRequestMessage Tus(HttpRequestMessage request)
    {
        request.Headers.Add("Tus-Resumable", "1.0.0");
        return request;
    }
}

/// <summary>One file on its way to the library.</summary>
internal sealed class ImagePush(LibraryClient client, string transfer, PushedFile file, IProgress<TransferProgress>? progress)
{
    private readonly string _path = LibraryClient.UploadPath(transfer);

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

        return await file.ConfirmAsync(client, transfer, patience, cancellationToken);
    }

    /// <summary>What one end knows and the other not yet is no refusal: the next look tells.</summary>
    public static LibraryClientException AsPassing(LibraryClientException failure) => failure.MayPass
        ? failure
        : new LibraryClientException(ClientCodes.Unreachable, failure.Message, failure.Remedy, failure);

    public static LibraryClientException Failed(TransferRecord state) => new(
        state.Failure?.Code ?? ClientCodes.TransferFailed,
        state.Failure?.Cause ?? "The upload was cancelled.",
        state.Failure?.Remedy ?? "Begin a new one.");

    /// <returns>How far the upload was; null once the library has checked all of it.</returns>
    private async Task<long?> TryStepAsync(Patience patience, CancellationToken cancellationToken)
    {
        try
        {
            var state = await client.GetTransferAsync(transfer, cancellationToken);
            if (state.IsOver)
                return state.State == "done" ? null : throw Failed(state);

            // With all bytes there an empty request still has the library check them, if it died before it did.
            var offset = await client.FindOffsetAsync(_path, cancellationToken);
            await file.CatchUpAsync(offset, cancellationToken);
            progress?.Report(new TransferProgress(offset, file.Length));
            await client.AppendAsync(
                _path, () => new UploadContent(file.Handle, offset, file.Length, file.Digest, progress), offset, cancellationToken);
            return file.Length;
        }
        catch (LibraryClientException failure) when (failure.Code is "upload-offset" or "transfer-state" or "transfer-lost" || failure.MayPass)
        {
            // Whatever happened to the other end, it knows best how far it is.
            await patience.WaitAsync(AsPassing(failure), cancellationToken);
            return file.Digest.Length;
        }
    }
}
